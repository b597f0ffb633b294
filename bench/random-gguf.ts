/**
 * A GGUF file in Llama-3-8B's shape with drawn Q4_K blocks, and a tokenizer of one token a byte.
 *
 * Times and memory do not depend on what the numbers are; the same seed gives the same file.
 */
import { createCipheriv } from 'node:crypto';
import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { gguf, ggufBytes, type GgufTensor } from '../test/model/support.js';
import { byteTokenizer } from '../test/support/byte-tokenizer.js';
import { Skip } from './types.js';

const SHAPE = { layers: 32, E: 4096, H: 32, KV: 8, D: 128, F: 14_336, V: 128_256 };
const FLOAT32 = 0;
/** Of GGUF: its number, numbers and bytes of a block. */
const Q4_K = { type: 12, values: 256, bytes: 144 };
/** d and dmin of every block, float16: 2^−13 and 2^−10. Numbers d·(0…63)·(0…15) − dmin·(0…63) then have about mean 0. */
const [D, DMIN] = [0x0800, 0x1400];
/** Whole blocks that are drawn at once. */
const CHUNK = 2 ** 17 * Q4_K.bytes;

/** Writes it, 4.5 GB. Throws `Skip` where the disk has no room. */
export function writeRandomGguf(path: string, seed = 1): void {
  const tensors = tensorsOf();
  const sizes = tensors.map(({ dimensions }) => sizeOf(dimensions));
  let end = 0;
  const infos = tensors.map(({ name, dimensions }, i): GgufTensor => {
    const offset = end;
    end += sizes[i]!;
    return { name, dimensions, type: dimensions.length === 1 ? FLOAT32 : Q4_K.type, offset };
  });
  expectRoom(dirname(path), end);
  const file = openSync(path, 'w');
  try {
    writeSync(file, ggufBytes({ metadata: metadata(), tensors: infos }));
    const draw = drawnBytes(seed);
    for (const [i, { dimensions }] of tensors.entries()) {
      if (dimensions.length === 1) {
        writeSync(file, Buffer.from(new Float32Array(dimensions[0]!).fill(1).buffer));
        continue;
      }
      for (let left = sizes[i]!; left > 0; left -= CHUNK) {
        const blocks = draw(Math.min(left, CHUNK));
        for (let at = 0; at < blocks.length; at += Q4_K.bytes) {
          blocks.writeUInt16LE(D, at);
          blocks.writeUInt16LE(DMIN, at + 2);
        }
        writeSync(file, blocks);
      }
    }
  } finally {
    closeSync(file);
  }
}

interface Shaped {
  readonly name: string;
  /** Innermost first. */
  readonly dimensions: readonly number[];
}

function tensorsOf(): Shaped[] {
  const { layers, E, H, KV, D: width, F, V } = SHAPE;
  const parts = {
    attn_norm: [E],
    attn_q: [E, H * width],
    attn_k: [E, KV * width],
    attn_v: [E, KV * width],
    attn_output: [H * width, E],
    ffn_norm: [E],
    ffn_gate: [E, F],
    ffn_up: [E, F],
    ffn_down: [F, E],
  };
  return [
    { name: 'token_embd.weight', dimensions: [E, V] },
    ...Array.from({ length: layers }, (_, layer) =>
      Object.entries(parts).map(([part, dimensions]) => ({
        name: `blk.${layer}.${part}.weight`,
        dimensions,
      })),
    ).flat(),
    { name: 'output_norm.weight', dimensions: [E] },
    { name: 'output.weight', dimensions: [E, V] },
  ];
}

/** Bytes; a multiple of 32. */
function sizeOf(dimensions: readonly number[]): number {
  const count = dimensions.reduce((product, n) => product * n, 1);
  return dimensions.length === 1 ? 4 * count : (count / Q4_K.values) * Q4_K.bytes;
}

function metadata(): [string, Buffer][] {
  const { layers, E, H, KV, D: width, F, V } = SHAPE;
  return [
    ['general.architecture', gguf.string('llama')],
    ['llama.block_count', gguf.u32(layers)],
    ['llama.embedding_length', gguf.u32(E)],
    ['llama.feed_forward_length', gguf.u32(F)],
    ['llama.attention.head_count', gguf.u32(H)],
    ['llama.attention.head_count_kv', gguf.u32(KV)],
    ['llama.attention.key_length', gguf.u32(width)],
    ['llama.attention.layer_norm_rms_epsilon', gguf.f32(1e-5)],
    ['llama.rope.freq_base', gguf.f32(500_000)],
    ['llama.context_length', gguf.u32(8192)],
    ...byteTokenizer(V),
  ];
}

/** A stream of bytes that a seed decides. */
function drawnBytes(seed: number): (size: number) => Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK);
  return (size) => cipher.update(zeros.subarray(0, size));
}

function expectRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > 1.05 * bytes) return;
  const gb = (n: number): string => `${(n / 1e9).toFixed(1)} GB`;
  throw new Skip(
    `the model takes ${gb(bytes)} in ${folder}, which has ${gb(bavail * bsize)} left; TMPDIR may name another folder`,
  );
}
