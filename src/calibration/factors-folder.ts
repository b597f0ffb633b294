/**
 * Factors on disk: `factors.safetensors` with the matrices, `factors.json` with what they are and a digest.
 *
 * A folder appears only when it is whole, and one that is damaged or of another model is told apart.
 */
import { constants, existsSync } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { sha256OfFile } from '../base/digest.js';
import { diskError, makeFolders } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { readJsonFile } from '../base/json.js';
import { checkFactors, type FactorGroup, type LowRankFactors } from '../model/low-rank.js';
import { openSafetensors } from '../checkpoint/safetensors.js';
import type { ModelConfig, WeightSource } from '../checkpoint/types.js';
import { replaceFolder } from '../base/staging.js';

const MATRICES = 'factors.safetensors';
const DESCRIPTION = 'factors.json';
const SIDES = ['keys', 'values'] as const;

const groups = z.array(z.strictObject({ heads: z.array(z.int().min(0)), rank: z.int().min(1) }));
const descriptionSchema = z.strictObject({
  made: z.unknown(),
  /** sha256 of the matrices' file. */
  digest: z.string(),
  layers: z.array(z.strictObject({ keys: groups, values: groups })),
});

/** Throws UserError where no folder can be made beside `folder`: before the work of finding factors, not behind it. */
export async function checkWritable(folder: string): Promise<void> {
  const parent = dirname(folder);
  makeFolders(parent, 'keep the factors', OTHER_CACHE);
  try {
    await access(parent, constants.W_OK);
  } catch (error) {
    throw diskError(error, parent, 'keep the factors', OTHER_CACHE);
  }
}

/** Writes the folder in one step, replacing what was there. `made`: all that decided the factors, for people. */
export async function writeFactors(folder: string, factors: LowRankFactors, made: unknown): Promise<void> {
  await replaceFolder(folder, async (staging) => {
    const matrices = join(staging, MATRICES);
    await writeFile(matrices, safetensorsOf(factors));
    const sizes = (of: readonly FactorGroup[]): unknown => of.map(({ heads, rank }) => ({ heads, rank }));
    const layers = factors.layers.map(({ keys, values }) => ({ keys: sizes(keys), values: sizes(values) }));
    const description = { made, digest: await sha256OfFile(matrices), layers };
    await writeFile(join(staging, DESCRIPTION), `${JSON.stringify(description, undefined, 1)}\n`);
  });
}

/**
 * The factors of a folder; undefined where it holds none.
 *
 * @throws UserError (place = the file) where they are damaged or of a model of another shape
 */
export async function readFactors(folder: string, config: ModelConfig): Promise<LowRankFactors | undefined> {
  const place = join(folder, DESCRIPTION);
  if (!existsSync(place)) return undefined;
  const description = descriptionSchema.safeParse(readJsonFile(place));
  if (!description.success) throw new UserError('is not a description of factors', { place });
  const path = join(folder, MATRICES);
  const matrices = openSafetensors(path);
  try {
    if ((await sha256OfFile(path)) !== description.data.digest) {
      throw new UserError('was changed after it was written', { place: path });
    }
    const layers = description.data.layers.map((layer, index) => ({
      keys: layer.keys.map((group, g) => readGroup(matrices, group, tensorName(index, 'keys', g))),
      values: layer.values.map((group, g) => readGroup(matrices, group, tensorName(index, 'values', g))),
    }));
    checkFactors(config, { layers });
    return { layers };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError((error as Error).message, { place: path, cause: error });
  } finally {
    matrices.close();
  }
}

function readGroup(
  matrices: WeightSource,
  group: Pick<FactorGroup, 'heads' | 'rank'>,
  name: string,
): FactorGroup {
  return { ...group, down: matrices.read(`${name}.down`), up: matrices.read(`${name}.up`) };
}

function tensorName(layer: number, side: (typeof SIDES)[number], group: number): string {
  return `layers.${layer}.${side}.${group}`;
}

function safetensorsOf({ layers }: LowRankFactors): Uint8Array {
  const header: Record<string, unknown> = {};
  const parts: Float32Array[] = [];
  let at = 0;
  const add = (name: string, data: Float32Array, rows: number): void => {
    const end = at + data.byteLength;
    header[name] = { dtype: 'F32', shape: [rows, data.length / rows], data_offsets: [at, end] };
    parts.push(data);
    at = end;
  };
  for (const [index, layer] of layers.entries()) {
    for (const side of SIDES) {
      for (const [g, { rank, down, up }] of layer[side].entries()) {
        const name = tensorName(index, side, g);
        add(`${name}.down`, down, down.length / rank);
        add(`${name}.up`, up, rank);
      }
    }
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const data = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  return Buffer.concat([length, json, ...data]);
}
