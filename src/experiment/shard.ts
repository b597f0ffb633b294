/**
 * Shards: a run split over machines that know nothing of each other.
 *
 * All pipelines of a sample stay together, because they share its prefill, and every group is spread over all shards.
 */
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { MAX_SHARDS, type Shard } from '../results/types.js';

/** The folder of all shards, in the output folder. */
export const SHARDS_FOLDER = 'shards';

/** Reads `2/8`: the second of eight. Throws UserError (exit code 2) for anything else. */
export function parseShard(text: string): Shard {
  const match = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index > count || count > MAX_SHARDS) {
    throw new UserError(`expected i/n with 1 ≤ i ≤ n ≤ ${MAX_SHARDS}, got "${text}"`, {
      place: '--shard',
      hint: 'For example --shard 2/8: the second of eight parts.',
      exitCode: 2,
    });
  }
  return { index, count };
}

/** The spec with its results in the shard's own folder, `OUTPUT/shards/2-of-8`; without a shard as it is. */
export function specOfShard<Spec extends { readonly output: string }>(
  spec: Spec,
  shard: Shard | undefined,
): Spec {
  if (shard === undefined) return spec;
  return { ...spec, output: join(spec.output, SHARDS_FOLDER, `${shard.index}-of-${shard.count}`) };
}

/**
 * Deals the samples of all groups out, one after the other.
 *
 * @returns index (from 1) of the shard that a sample of a group belongs to; group and sample count from 0
 */
export function dealSamples(
  groups: readonly { readonly samples: number }[],
  count: number,
): (group: number, sample: number) => number {
  let total = 0;
  const offsets = groups.map(({ samples }) => (total += samples) - samples);
  return (group, sample) => ((offsets[group]! + sample) % count) + 1;
}

/** Whether a sample of a group is the shard's; without a shard all of them are. */
export function shardFilter(
  groups: readonly { readonly samples: number }[],
  shard: Shard | undefined,
): (group: number, sample: number) => boolean {
  if (shard === undefined) return () => true;
  const shardOf = dealSamples(groups, shard.count);
  return (group, sample) => shardOf(group, sample) === shard.index;
}
