/**
 * A run: every missing (cell, sample) of a spec, computed and written as it finishes.
 *
 * Decides the order (model, variant, group, sample: weights are loaded once, a sample is prefilled once for all of its
 * missing pipelines that run on the same weights) and that nothing finished is computed again. Only this process writes
 * results, whoever computes them. Knows nothing of how a sample is run.
 */
import { checkModelFits, openEngine } from '../engine/index.js';
import type { Engine, EngineName } from '../engine/types.js';
import type { ModelFiles } from '../model/types.js';
import { ResultFolder } from '../results/folder.js';
import { createManifest } from '../results/manifest.js';
import type { CellInfo, Manifest, ModelRecord, SampleRecord, Shard } from '../results/types.js';
import { specHash } from '../spec/load.js';
import type { ResolvedSpec } from '../spec/types.js';
import { dataOf, groupCells, type CellGroup } from './cells.js';
import { checkSamples } from './check-samples.js';
import { dispatch } from './dispatch.js';
import { LocalRunner, type Job, type JobRunner } from './job.js';
import { modelRecord } from './model-record.js';
import { cacheBudget, machineMemory } from './memory.js';
import { memoryUses, openModels, parameterBytes } from './models.js';
import type { Progress } from './progress.js';
import { shardFilter } from './shard.js';
import { variantsOf, type Variant } from './variants.js';
import { checkWorkers, WorkerRunner } from './workers.js';

export interface RunOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: Progress;
  /** Remove the results that are there. */
  readonly fresh: boolean;
  /** Processes that compute samples; at least 1. The results are the same, whatever their number. */
  readonly workers: number;
  /** Bytes that the run may take, all processes together. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  /** Only this part of the samples; the spec's output is then the shard's own folder, which gets no tables. */
  readonly shard?: Shard | undefined;
  /** Stops between layers and tokens; what is finished is kept. */
  readonly signal: AbortSignal;
}

export interface RunOutcome {
  /** False where the signal stopped it. */
  readonly complete: boolean;
  readonly manifest: Manifest;
  readonly cells: readonly CellInfo[];
  /** Of these cells, earlier ones included. */
  readonly records: readonly SampleRecord[];
  /** Records that there are when all of it is done. */
  readonly asked: number;
  /** Rows that were there before. */
  readonly reused: number;
}

/** Runs what is missing and, once nothing is, writes the tables. */
export async function runSpec(spec: ResolvedSpec, options: RunOptions): Promise<RunOutcome> {
  const models = await openModels(spec);
  try {
    const identities = new Map(
      [...models].map(([name, files]) => [name, { config: files.config, record: modelRecord(files) }]),
    );
    const groups = groupCells(spec, identities);
    const records = [...identities.values()].map(({ record }) => record);
    const engine = await openEngine(options.engine);
    checkWorkers(options.workers, engine.name);
    for (const files of models.values()) checkModelFits(engine, parameterBytes(files));
    const cacheBytes = cacheBudget(memoryUses(spec, models), {
      engine: engine.name,
      workers: options.workers,
      cacheDtype: spec.cacheDtype,
      memory: options.memory ?? machineMemory(),
    });
    const hash = specHash(spec);
    const folder = ResultFolder.open(spec.output, {
      spec: spec.canonical,
      specHash: hash,
      engine: engine.name,
      fresh: options.fresh,
    });
    try {
      for (const warning of folder.warnings) options.progress.log(warning);
      const manifest = manifestOf(spec, hash, engine, records, groups, options.shard, folder.earlier);
      folder.begin(manifest);
      return await new Run(spec, options, engine, cacheBytes, folder, manifest, groups).finish(models);
    } finally {
      options.progress.stop();
      folder.close();
    }
  } finally {
    for (const files of models.values()) files.weights.close();
  }
}

class Run {
  private readonly variants: readonly Variant[];
  /** Whether a sample of a group is part of this run. */
  private readonly owns: (group: number, sample: number) => boolean;

  constructor(
    private readonly spec: ResolvedSpec,
    private readonly options: RunOptions,
    private readonly engine: Engine,
    private readonly cacheBytes: number,
    private readonly folder: ResultFolder,
    private readonly manifest: Manifest,
    private readonly groups: readonly CellGroup[],
  ) {
    this.variants = variantsOf(spec.pipelines);
    this.owns = shardFilter(spec.groups, options.shard);
  }

  async finish(models: ReadonlyMap<string, ModelFiles>): Promise<RunOutcome> {
    const { progress, signal } = this.options;
    const jobs = [...models.keys()].flatMap((model) => this.jobsOf(model));
    const missing = jobs.reduce((total, job) => total + job.missing.length, 0);
    const cells = this.groups.flatMap((group) => group.cells);
    const asked = this.countAsked();
    const reused = asked - missing;
    await checkSamples(this.spec, jobs, models);
    progress.start(missing, this.spec.name);
    const runners = jobs.length === 0 ? [] : this.openRunners(models, jobs.length);
    try {
      await dispatch(jobs, runners, {
        calibrates: ({ group, variant }) =>
          this.variants[variant]!.request && `${this.groups[group]!.group.model} ${variant}`,
        onRecords: ({ group, sample }, records) => {
          for (const record of records) this.folder.append(record);
          const { task, context } = this.groups[group]!.group;
          progress.tick(records.length, `${task} ${context} #${sample}`);
        },
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      return {
        complete: false,
        manifest: this.manifest,
        cells,
        records: this.recordsOf(cells),
        asked,
        reused,
      };
    } finally {
      for (const runner of runners) runner.close();
    }
    const manifest = { ...this.manifest, finishedAt: new Date().toISOString() };
    this.folder.finish(cells, manifest);
    return { complete: true, manifest, cells, records: this.recordsOf(cells), asked, reused };
  }

  private countAsked(): number {
    const { groups, pipelines } = this.spec;
    const own = groups.flatMap(({ samples }, group) =>
      Array.from({ length: samples }, (_, sample) => this.owns(group, sample)),
    );
    return own.filter(Boolean).length * pipelines.length;
  }

  /** What is missing of a model, variant by variant. */
  private jobsOf(model: string): Job[] {
    const groups = this.groups
      .map((group, index) => ({ ...group, index }))
      .filter(({ group }) => group.model === model);
    return this.variants.flatMap(({ pipelines }, variant) =>
      groups.flatMap(({ group, cells, index }) =>
        Array.from({ length: group.samples }, (_, sample): Job => {
          const missing = pipelines
            .map((pipeline) => ({ pipeline, cell: cells[pipeline]!.key }))
            .filter(({ cell }) => this.owns(index, sample) && !this.folder.has(cell, sample));
          return { group: index, sample, variant, missing };
        }).filter(({ missing }) => missing.length > 0),
      ),
    );
  }

  /** As many as asked for, but no more than there are jobs; one alone works in this process. */
  private openRunners(models: ReadonlyMap<string, ModelFiles>, jobs: number): JobRunner[] {
    const { spec, engine, options, cacheBytes } = this;
    const workers = Math.min(options.workers, jobs);
    if (workers === 1) {
      return [
        new LocalRunner({ ...options, spec, engine, cacheBytes, filesOf: (model) => models.get(model)! }),
      ];
    }
    const { progress, signal } = options;
    return Array.from(
      { length: workers },
      () => new WorkerRunner({ spec, engine: engine.name, cacheBytes, progress, signal }),
    );
  }

  private recordsOf(cells: readonly CellInfo[]): SampleRecord[] {
    const keys = new Set(cells.map(({ key }) => key));
    return this.folder.records.filter(({ cell }) => keys.has(cell));
  }
}

function manifestOf(
  spec: ResolvedSpec,
  hash: string,
  engine: Engine,
  models: readonly ModelRecord[],
  groups: readonly CellGroup[],
  shard: Shard | undefined,
  earlier: Manifest | undefined,
): Manifest {
  const manifest = createManifest(
    {
      name: spec.name,
      spec: spec.canonical,
      specHash: hash,
      engine: { name: engine.name, threads: engine.threads, versions: engine.versions },
      models,
      data: dataOf(groups),
      cells: groups.flatMap(({ cells }) => cells),
      shard,
    },
    spec.file,
  );
  return earlier === undefined ? manifest : { ...manifest, startedAt: earlier.startedAt };
}
