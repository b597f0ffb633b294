/**
 * Jobs: one sample under those pipelines of one weight set that are missing of it.
 *
 * A job is plain data, so that any process or machine that has the same spec can compute it.
 */
import type { CellGroup } from '../experiment/cells.js';
import { shardFilter } from '../experiment/shard.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import type { SampleRecord, Shard } from '../results/types.js';
import type { WorkerError } from './worker-error.js';

export interface Job {
  /** Index into the spec's groups. */
  readonly group: number;
  readonly sample: number;
  /** Index into `weightSetsOf` the spec's pipelines. */
  readonly weightSet: number;
  /** Index into the spec's pipelines, and the key of the cell. */
  readonly missing: readonly { readonly pipeline: number; readonly cell: string }[];
}

/** A pipeline that cannot be applied to a sample. Plain data. */
export interface Failure {
  readonly cell: string;
  readonly sample: number;
  readonly error: WorkerError;
}

export type JobRecord = SampleRecord | Failure;

/** Runs jobs, one at a time. */
export interface JobRunner {
  /**
   * The records of a job, in the order of its pipelines. Rejects with the signal's reason where that stops it.
   */
  run(job: Job): Promise<readonly JobRecord[]>;
  close(): void;
}

/** Records that a spec, or a shard of it, asks for: one per sample and pipeline. */
export function countAsked({ groups, pipelines }: ResolvedSpec, shard: Shard | undefined): number {
  const owns = shardFilter(groups, shard);
  const own = groups.flatMap(({ samples }, group) =>
    Array.from({ length: samples }, (_, sample) => owns(group, sample)),
  );
  return own.filter(Boolean).length * pipelines.length;
}

/**
 * What is missing, in the order in which it is computed: by model and weight set, which are loaded once, then by group and
 * sample, which is prefilled once for all of its missing pipelines on the same weights.
 *
 * @param groups of the spec, in its order
 * @param has whether a cell's sample is there
 */
export function missingJobs(
  { spec, groups }: { readonly spec: ResolvedSpec; readonly groups: readonly CellGroup[] },
  has: (cell: string, sample: number) => boolean,
  shard: Shard | undefined,
): Job[] {
  const owns = shardFilter(spec.groups, shard);
  const weightSets = weightSetsOf(spec.pipelines, spec.registry.methods);
  const models = [...new Set(groups.map(({ group }) => group.model))];
  const jobOf = (index: number, sample: number, weightSet: number): Job => {
    const missing = weightSets[weightSet]!.pipelines.map((pipeline) => ({
      pipeline,
      cell: groups[index]!.cells[pipeline]!.key,
    })).filter(({ cell }) => owns(index, sample) && !has(cell, sample));
    return { group: index, sample, weightSet, missing };
  };
  return models.flatMap((model) =>
    weightSets.flatMap((_, weightSet) =>
      groups.flatMap(({ group }, index) =>
        group.model === model
          ? Array.from({ length: group.samples }, (_, sample) => jobOf(index, sample, weightSet)).filter(
              ({ missing }) => missing.length > 0,
            )
          : [],
      ),
    ),
  );
}
