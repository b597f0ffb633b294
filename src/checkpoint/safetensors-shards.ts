/**
 * A checkpoint that is split over several safetensors files, listed in model.safetensors.index.json.
 *
 * Shards lie in the checkpoint's own folder, and a tensor is read where the index says.
 */
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { readJsonFile, validate } from '../base/json.js';
import { openSafetensors } from './safetensors.js';
import type { TensorFile } from './tensor-file.js';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** Paths of the shards that an index names, sorted. Throws UserError where one would lie outside its folder. */
export function shardPaths(indexPath: string): string[] {
  return [...new Set(readIndex(indexPath).values())].sort();
}

/** Opens all shards of an index. Throws UserError where a shard lacks a tensor that the index puts there. */
export function openShards(indexPath: string): TensorFile {
  const index = readIndex(indexPath);
  const shards = new Map<string, TensorFile>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const path of new Set(index.values())) shards.set(path, openSafetensors(path));
    for (const [path, shard] of shards) {
      const present = new Set(shard.names);
      const missing = [...index].find(([name, at]) => at === path && !present.has(name));
      if (missing !== undefined) {
        throw new UserError(`has no tensor "${missing[0]}", which ${basename(indexPath)} puts there`, {
          place: path,
        });
      }
      const unlisted = shard.names.find((name) => index.get(name) !== path);
      if (unlisted !== undefined) {
        throw new UserError(`tensor "${unlisted}" is not listed in ${basename(indexPath)} for this file`, {
          place: path,
          hint: 'The shards may be of different downloads; fetch the model again.',
        });
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const shardOf = (name: string): TensorFile => {
    const path = index.get(name);
    if (path === undefined) throw new UserError(`has no tensor "${name}"`, { place: indexPath });
    return shards.get(path)!;
  };
  return {
    names: [...index.keys()],
    shape: (name) => shardOf(name).shape(name),
    read: (name) => shardOf(name).read(name),
    packed: (name, rows) => shardOf(name).packed(name, rows),
    packedBytes: (name) => shardOf(name).packedBytes!(name),
    part: (name, part) => shardOf(name).part(name, part),
    close,
  };
}

/** Tensor name → path of its shard. */
function readIndex(indexPath: string): Map<string, string> {
  const { weight_map } = validate(indexSchema, readJsonFile(indexPath), indexPath);
  const entries = Object.entries(weight_map);
  const outside = entries.find(([, file]) => !/^[\w.-]+\.safetensors$/.test(file));
  if (outside !== undefined) {
    throw new UserError(
      `weight_map: expected the name of a .safetensors file in the same folder, got "${outside[1]}"`,
      { place: indexPath },
    );
  }
  if (entries.length === 0) throw new UserError('weight_map is empty', { place: indexPath });
  return new Map(entries.map(([name, file]) => [name, join(dirname(indexPath), file)]));
}
