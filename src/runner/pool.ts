/**
 * Where the jobs of a run are computed, and by how many.
 *
 * Decides what a run asks of whoever computes for it, and how that is done on this machine: in this process, or in several
 * that it starts. Knows nothing of result folders.
 */
import { openEngine } from '../engine/index.js';
import type { Engine, EngineName } from '../engine/types.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { Manifest } from '../results/types.js';
import type { TaskOpener } from '../experiment/task-opener.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { dispatch } from './dispatch.js';
import { type EngineFacts, factsOf } from './engine-facts.js';
import { LocalRunner, type Job, type JobRecord, type JobRunner } from './job.js';
import { fitModels } from './models.js';
import type { Progress } from './progress.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import { checkWorkers, threadsOfEach, WorkerRunner } from './workers.js';

/** Computes the jobs of one run. */
export interface JobPool {
  /**
   * Called first, once.
   *
   * @param models by the name that the spec gives them
   * @throws UserError where the engine is not there, or the models do not fit
   */
  open(spec: ResolvedSpec, models: ReadonlyMap<string, ModelFiles>): Promise<EngineFacts>;
  /** Computes all jobs, started in their order. Rejects with the first failure, or with the signal's reason. */
  run(jobs: readonly Job[], context: PoolRun): Promise<void>;
}

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
  /** Bytes that all processes together may take. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** The run's, where its own process computes. */
  readonly opener?: TaskOpener | undefined;
}

/** This machine. */
export class LocalPool implements JobPool {
  private opened:
    | {
        readonly spec: ResolvedSpec;
        readonly models: ReadonlyMap<string, ModelFiles>;
        readonly engine: Engine;
        readonly cacheBytes: number;
      }
    | undefined;

  constructor(private readonly options: LocalPoolOptions) {}

  async open(spec: ResolvedSpec, models: ReadonlyMap<string, ModelFiles>): Promise<EngineFacts> {
    const { workers, memory } = this.options;
    const threads = threadsOfEach(workers);
    const engine = await openEngine(this.options.engine, threads === undefined ? {} : { threads });
    checkWorkers(workers, engine.name);
    const cacheBytes = fitModels(spec, models, { engine: engine.name, workers, memory });
    this.opened = { spec, models, engine, cacheBytes };
    return factsOf(engine);
  }

  async run(jobs: readonly Job[], { onRecords }: PoolRun): Promise<void> {
    const { groups, pipelines, registry } = this.opened!.spec;
    const weightSets = weightSetsOf(pipelines, registry.methods);
    const runners = this.openRunners(jobs.length);
    try {
      await dispatch(runners.length === 1 ? jobs : longestFirst(jobs, groups), runners, {
        calibrates: (job) => weightSets[job.weightSet]!.request && weightsOf(job, groups),
        onRecords,
      });
    } finally {
      for (const runner of runners) runner.close();
    }
  }

  /** As many as asked for, but no more than there are jobs. */
  private openRunners(jobs: number): JobRunner[] {
    const { spec, models, engine, cacheBytes } = this.opened!;
    const { progress, signal, opener } = this.options;
    const workers = Math.min(this.options.workers, jobs);
    if (workers === 1) {
      const filesOf = (model: string): ModelFiles => models.get(model)!;
      return [new LocalRunner({ spec, engine, cacheBytes, filesOf, progress, signal, opener })];
    }
    return Array.from(
      { length: workers },
      () =>
        new WorkerRunner({
          spec,
          engine: engine.name,
          threads: engine.threads,
          cacheBytes,
          progress,
          signal,
        }),
    );
  }
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
