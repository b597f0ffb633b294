/**
 * A run: every missing (cell, sample) of a spec, computed and written as it finishes.
 *
 * Decides the order (model, variant, group, sample: weights are loaded once, a sample is prefilled once for all of its
 * missing pipelines that run on the same weights) and that nothing finished is computed again. Only this process writes
 * results, whoever computes them. Knows nothing of how a sample is run.
 */
import { openEngine } from '../engine/index.js';
import type { Engine, EngineName } from '../engine/types.js';
import type { ModelFiles } from '../model/types.js';
import { ResultFolder } from '../results/folder.js';
import { createManifest } from '../results/manifest.js';
import type { CellInfo, Manifest, ModelRecord, SampleRecord } from '../results/types.js';
import { specHash } from '../spec/load.js';
import type { ResolvedSpec } from '../spec/types.js';
import { dataOf, groupCells, type CellGroup } from './cells.js';
import { dispatch } from './dispatch.js';
import { LocalRunner, type Job, type JobRunner } from './job.js';
import { modelRecord } from './model-record.js';
import { openModels, parameterBytes } from './models.js';
import type { Progress } from './progress.js';
import { variantsOf, type Variant } from './variants.js';
import { checkWorkers, WorkerRunner } from './workers.js';

export interface RunOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: Progress;
  /** Remove the results that are there. */
  readonly fresh: boolean;
  /** Processes that compute samples; at least 1. The results are the same, whatever their number. */
  readonly workers: number;
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
    checkWorkers(options.workers, engine.name, Math.max(...[...models.values()].map(parameterBytes)));
    const hash = specHash(spec);
    const folder = ResultFolder.open(spec.output, {
      spec: spec.canonical,
      specHash: hash,
      engine: engine.name,
      fresh: options.fresh,
    });
    try {
      for (const warning of folder.warnings) options.progress.log(warning);
      const manifest = manifestOf(spec, hash, engine, records, groups, folder.earlier);
      folder.begin(manifest);
      return await new Run(spec, options, engine, folder, manifest, groups).finish(models);
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

  constructor(
    private readonly spec: ResolvedSpec,
    private readonly options: RunOptions,
    private readonly engine: Engine,
    private readonly folder: ResultFolder,
    private readonly manifest: Manifest,
    private readonly groups: readonly CellGroup[],
  ) {
    this.variants = variantsOf(spec.pipelines);
  }

  async finish(models: ReadonlyMap<string, ModelFiles>): Promise<RunOutcome> {
    const { progress, signal } = this.options;
    const jobs = [...models.keys()].flatMap((model) => this.jobsOf(model));
    const missing = jobs.reduce((total, job) => total + job.missing.length, 0);
    const cells = this.groups.flatMap((group) => group.cells);
    const reused = cells.reduce((total, cell) => total + cell.samples, 0) - missing;
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
      return { complete: false, manifest: this.manifest, cells, records: this.recordsOf(cells), reused };
    } finally {
      for (const runner of runners) runner.close();
    }
    const manifest = { ...this.manifest, finishedAt: new Date().toISOString() };
    this.folder.finish(cells, manifest);
    return { complete: true, manifest, cells, records: this.recordsOf(cells), reused };
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
            .filter(({ cell }) => !this.folder.has(cell, sample));
          return { group: index, sample, variant, missing };
        }).filter(({ missing }) => missing.length > 0),
      ),
    );
  }

  /** As many as asked for, but no more than there are jobs; one alone works in this process. */
  private openRunners(models: ReadonlyMap<string, ModelFiles>, jobs: number): JobRunner[] {
    const { spec, engine, options } = this;
    const workers = Math.min(options.workers, jobs);
    if (workers === 1) {
      return [new LocalRunner({ ...options, spec, engine, filesOf: (model) => models.get(model)! })];
    }
    const { progress, signal } = options;
    return Array.from(
      { length: workers },
      () => new WorkerRunner({ spec, engine: engine.name, progress, signal }),
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
    },
    spec.file,
  );
  return earlier === undefined ? manifest : { ...manifest, startedAt: earlier.startedAt };
}
