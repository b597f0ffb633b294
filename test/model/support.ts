/** Helpers of the model tests: temporary folders, caught errors, writers of small (and of broken) weight files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssertionError } from 'chai';
import { UserError } from '../../src/base/errors.js';

export const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));

/** A folder that is removed after each test of the enclosing `describe`. Returns a function giving paths in it. */
export function useTempFolder(): (name?: string) => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return (name = '') => join(folder, name);
}

/** The UserError that `run` throws; anything else fails the test. */
export function userError(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new AssertionError('expected a UserError, nothing was thrown');
}

export async function userErrorAsync(run: () => Promise<unknown>): Promise<UserError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new AssertionError('expected a UserError, nothing was thrown');
}

export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export function f32(shape: readonly number[], values: readonly number[]): RawTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Header and data of a sound safetensors file. */
export function safetensorsParts(tensors: Readonly<Record<string, RawTensor>>): {
  header: Record<string, unknown>;
  data: Buffer;
} {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  return { header, data: Buffer.concat(Object.values(tensors).map((t) => t.bytes)) };
}

/** Any header (an object, or raw text) before any data. */
export function safetensorsBytes(header: unknown, data: Uint8Array): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

export function writeSafetensors(path: string, header: unknown, data: Uint8Array): void {
  writeFileSync(path, safetensorsBytes(header, data));
}

const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
};
const u64 = (n: number | bigint): Buffer => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(n));
  return b;
};
const text = (s: string): Buffer => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)]);

/** Metadata values as they lie in a GGUF file, the type number first. */
export const gguf = {
  u32: (n: number): Buffer => Buffer.concat([u32(4), u32(n)]),
  f32: (n: number): Buffer => {
    const b = Buffer.alloc(4);
    b.writeFloatLE(n);
    return Buffer.concat([u32(6), b]);
  },
  string: (s: string): Buffer => Buffer.concat([u32(8), text(s)]),
  bool: (b: boolean): Buffer => Buffer.concat([u32(7), Buffer.of(Number(b))]),
  u32s: (ns: readonly number[]): Buffer => Buffer.concat([u32(9), u32(4), u64(ns.length), ...ns.map(u32)]),
  strings: (ss: readonly string[]): Buffer =>
    Buffer.concat([u32(9), u32(8), u64(ss.length), ...ss.map(text)]),
  /** An array of strings that claims another length. */
  stringsOfLength: (n: number | bigint): Buffer => Buffer.concat([u32(9), u32(8), u64(n)]),
};

export interface GgufTensor {
  readonly name: string;
  /** Innermost dimension first, as in the file. */
  readonly dimensions: readonly (number | bigint)[];
  readonly type?: number;
  readonly offset: number;
}

export interface GgufParts {
  readonly magic?: string;
  readonly version?: number;
  readonly tensorCount?: number | bigint;
  readonly metadataCount?: number | bigint;
  readonly metadata?: readonly (readonly [string, Buffer])[];
  readonly tensors?: readonly GgufTensor[];
  readonly data?: Uint8Array;
}

/** A GGUF file (alignment 32) that may contradict itself. */
export function ggufBytes(parts: GgufParts): Buffer {
  const { metadata = [], tensors = [], data = new Uint8Array(0) } = parts;
  const head = Buffer.concat([
    Buffer.from(parts.magic ?? 'GGUF'),
    u32(parts.version ?? 3),
    u64(parts.tensorCount ?? tensors.length),
    u64(parts.metadataCount ?? metadata.length),
    ...metadata.flatMap(([key, value]) => [text(key), value]),
    ...tensors.flatMap(({ name, dimensions, type = 0, offset }) => [
      ...[text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)],
    ]),
  ]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), data]);
}

export function writeGguf(path: string, parts: GgufParts): void {
  writeFileSync(path, ggufBytes(parts));
}

/** Lays float32 tensors out one after the other, each padded to 32 bytes. */
export function ggufTensors(
  tensors: Readonly<
    Record<string, { readonly dimensions: readonly number[]; readonly values: readonly number[] }>
  >,
): { tensors: GgufTensor[]; data: Buffer } {
  const chunks: Buffer[] = [];
  let offset = 0;
  const infos = Object.entries(tensors).map(([name, { dimensions, values }]) => {
    const bytes = Buffer.from(Float32Array.from(values).buffer);
    const padded = Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)]);
    const info = { name, dimensions, offset };
    chunks.push(padded);
    offset += padded.length;
    return info;
  });
  return { tensors: infos, data: Buffer.concat(chunks) };
}
