/**
 * Where the jobs of a run are computed, and by how many: in this process, or in several that it starts.
 *
 * A pool is what a run needs of whoever computes for it, so that a run does not know where its jobs go.
 */
import { openEngine } from '../engine/index.js';
import type { EngineName } from '../engine/types.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import type { Manifest } from '../results/types.js';
import { dispatch } from './dispatch.js';
import { type EngineRecord, engineRecord } from './engine-record.js';
import type { Job, JobRecord, JobRunner } from './jobs.js';
import { LocalRunner } from './local-runner.js';
import type { MeasureRow } from './measure-latency.js';
import { fitModels } from './models.js';
import type { PreparedRun } from './prepare.js';
import type { Progress } from './progress.js';
import { checkWorkers, threadsOfEach, WorkerRunner } from './workers.js';

/** Computes the jobs of one run. */
export interface JobPool {
  /** What they are computed on. */
  readonly engine: EngineRecord;
  /** Computes all jobs, started in their order. Rejects with the first failure, or with the signal's reason. */
  run(jobs: readonly Job[], context: PoolRun): Promise<void>;
  /** Measures a pipeline alone, here; undefined where what computes is elsewhere. */
  readonly measure?: MeasureRow | undefined;
  /** Gives back what the pool holds; called once, whatever has become of the run. */
  close(): void;
}

/** Makes the pool of a run. Rejects with UserError where the engine is not there, or the models do not fit. */
export type OpenPool = (run: PreparedRun) => Promise<JobPool>;

export interface PoolRun {
  /** Of the run that the jobs belong to. */
  readonly manifest: Manifest;
  /** Records of a job that are missing, as they come. What this throws ends the run. */
  readonly onRecords: (job: Job, records: readonly JobRecord[]) => void;
}

export interface LocalPoolOptions {
  readonly engine: EngineName | 'auto';
  /** Processes that compute; at least 1. One alone is this process. */
  readonly workers: number;
  /** Of each process. Default: its share of the processors. */
  readonly threads?: number | undefined;
  /** Bytes that all processes together may take. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** This machine. */
export async function openLocalPool(
  { spec, models, opener }: PreparedRun,
  { engine: name, workers, threads: asked, memory, progress, signal }: LocalPoolOptions,
): Promise<JobPool> {
  const threads = asked ?? threadsOfEach(workers);
  const engine = await openEngine(name, threads === undefined ? {} : { threads });
  checkWorkers(workers, engine.name);
  const cacheBytes = fitModels(spec, models, { engine: engine.name, workers, memory });
  const weightSets = weightSetsOf(spec.pipelines, spec.registry.methods);
  const shared = { spec, cacheBytes, progress, signal };

  const openHere = (): LocalRunner =>
    new LocalRunner({ ...shared, engine, filesOf: (model) => models.get(model)!, opener });
  let measuring: LocalRunner | undefined;

  /** As many as asked for, but no more than there are jobs. */
  const openRunners = (jobs: number): JobRunner[] => {
    const count = Math.min(workers, jobs);
    if (count === 1) return [openHere()];
    const { name: engineName, threads: each } = engine;
    return Array.from(
      { length: count },
      () => new WorkerRunner({ ...shared, engine: engineName, threads: each }),
    );
  };

  return {
    engine: engineRecord(engine),
    run: async (jobs, { onRecords }) => {
      const runners = openRunners(jobs.length);
      try {
        await dispatch(runners.length === 1 ? jobs : longestFirst(jobs, spec.groups), runners, {
          calibrates: (job) => weightSets[job.weightSet]!.request && weightsOf(job, spec.groups),
          onRecords,
        });
      } finally {
        for (const runner of runners) runner.close();
      }
    },
    measure: (place, settings) => (measuring ??= openHere()).measure(place, settings),
    close: () => {
      measuring?.close();
    },
  };
}

/** Names what a job runs on: a model and its weight set. */
function weightsOf({ group, weightSet }: Job, groups: readonly { readonly model: string }[]): string {
  return `${groups[group]!.model} ${weightSet}`;
}

/**
 * Jobs in the order for several runners: long contexts before short ones, so that the last jobs, which one runner computes
 * while others have none left, are short. Models and their weight sets stay in the order in which they come.
 */
export function longestFirst(
  jobs: readonly Job[],
  groups: readonly { readonly model: string; readonly context: number }[],
): Job[] {
  const weights = [...new Set(jobs.map((job) => weightsOf(job, groups)))];
  return weights.flatMap((name) =>
    jobs
      .filter((job) => weightsOf(job, groups) === name)
      .sort((a, b) => groups[b.group]!.context - groups[a.group]!.context),
  );
}
