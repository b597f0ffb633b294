/**
 * A run: every missing (cell, sample) of a spec, computed and written as it finishes.
 *
 * Decides the order (model, weight set, group, sample: weights are loaded once, a sample is prefilled once for all of its
 * missing pipelines that run on the same weights) and that nothing finished is computed again. Only this process writes
 * results, whoever computes them. Knows nothing of how a sample is run.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import type { ModelFiles } from '../checkpoint/types.js';
import { PROTOCOL_VERSION } from '../results/cell-key.js';
import { ResultFolder } from '../results/folder.js';
import { continued } from '../results/growth.js';
import { createManifest } from '../results/manifest.js';
import {
  type CellInfo,
  FORMAT_VERSION,
  type Inapplicable,
  type JournalEntry,
  type Manifest,
  type ModelRecord,
  type SampleRecord,
  type Shard,
} from '../results/types.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { dataOf, groupCells, type CellGroup } from '../experiment/cells.js';
import { TaskOpener } from '../experiment/task-opener.js';
import { checkSamples } from './check-samples.js';
import type { Job, JobRecord } from './job.js';
import { modelRecord } from './model-record.js';
import { openModels } from './models.js';
import { type JobPool, LocalPool } from './pool.js';
import type { Progress } from './progress.js';
import { sampleName } from './sample-name.js';
import { shardFilter } from '../experiment/shard.js';
import { weightSetsOf, type WeightSet } from '../methods/weight-sets.js';
import { fromWorker } from './worker-error.js';
import type { EngineFacts } from './engine-facts.js';

export interface RunOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: Progress;
  /** Remove the results that are there. */
  readonly fresh: boolean;
  /** Processes that compute samples; at least 1. The results are the same, whatever their number. */
  readonly workers: number;
  /** Bytes that the run may take, all processes together. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  /** Who computes in place of this machine; engine, workers and memory are then its own business. */
  readonly pool?: JobPool | undefined;
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
  /** Samples of these cells that pipelines cannot be applied to: done, without a record; earlier ones included. */
  readonly inapplicable: readonly Inapplicable[];
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
      [...models].map(([name, files]) => [
        name,
        { config: files.config, record: modelRecord(files, spec.folder) },
      ]),
    );
    const opener = new TaskOpener(spec.registry.tasks, spec.folder);
    const groups = await groupCells(spec, identities, opener);
    const records = [...identities.values()].map(({ record }) => record);
    const pool = options.pool ?? new LocalPool({ ...options, opener });
    const engine = await pool.open(spec, models);
    const hash = specHash(spec);
    const folder = ResultFolder.open(spec.output, {
      spec: spec.canonical,
      specHash: hash,
      engine: engine.name,
      kernels: engine.versions['kernels'],
      protocol: PROTOCOL_VERSION,
      models: records,
      fresh: options.fresh,
    });
    try {
      for (const [name, { notes = [] }] of models)
        for (const note of notes) options.progress.log(`${name}: ${note}`);
      for (const warning of folder.warnings) options.progress.log(warning);
      const own = manifestOf(spec, hash, engine, records, groups, options.shard);
      const manifest = continued(own, folder.earlier, [...folder.records, ...folder.inapplicable]);
      return await new Run(spec, options, pool, folder, manifest, groups).finish(models, opener);
    } finally {
      options.progress.stop();
      folder.close();
    }
  } finally {
    for (const files of models.values()) files.weights.close();
  }
}

class Run {
  private readonly weightSets: readonly WeightSet[];
  /** Whether a sample of a group is part of this run. */
  private readonly owns: (group: number, sample: number) => boolean;

  constructor(
    private readonly spec: ResolvedSpec,
    private readonly options: RunOptions,
    private readonly pool: JobPool,
    private readonly folder: ResultFolder,
    private readonly manifest: Manifest,
    private readonly groups: readonly CellGroup[],
  ) {
    this.weightSets = weightSetsOf(spec.pipelines, spec.registry.methods);
    this.owns = shardFilter(spec.groups, options.shard);
  }

  async finish(models: ReadonlyMap<string, ModelFiles>, opener: TaskOpener): Promise<RunOutcome> {
    const { progress, signal } = this.options;
    const jobs = [...models.keys()].flatMap((model) => this.jobsOf(model));
    const missing = jobs.reduce((total, job) => total + job.missing.length, 0);
    const cells = this.groups.flatMap((group) => group.cells);
    const asked = this.countAsked();
    const reused = asked - missing;
    for (const remark of await checkSamples(this.spec, jobs, models, opener, signal)) progress.log(remark);
    this.folder.begin(this.manifest);
    progress.start(asked, this.spec.name, reused);
    try {
      await this.pool.run(jobs, {
        manifest: this.manifest,
        onRecords: (job, records) => {
          this.take(job, records);
        },
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      return { complete: false, manifest: this.manifest, cells, ...this.entriesOf(cells), asked, reused };
    }
    const manifest = { ...this.manifest, finishedAt: new Date().toISOString() };
    this.folder.finish(cells, manifest);
    return { complete: true, manifest, cells, ...this.entriesOf(cells), asked, reused };
  }

  /** Keeps records, and that a pipeline cannot be applied, which is told at once. */
  private take({ group, sample }: Job, records: readonly JobRecord[]): void {
    const { progress } = this.options;
    for (const record of records) {
      if ('error' in record) {
        const { cell, sample, error: told } = record;
        const error = fromWorker(told);
        const inapplicable = error instanceof UserError ? error.format() : error.message;
        progress.log(inapplicable);
        this.folder.append({ format: FORMAT_VERSION, cell, sample, inapplicable });
      } else this.folder.append(record);
    }
    progress.tick(records.length, sampleName(this.groups[group]!.group, sample));
  }

  private countAsked(): number {
    const { groups, pipelines } = this.spec;
    const own = groups.flatMap(({ samples }, group) =>
      Array.from({ length: samples }, (_, sample) => this.owns(group, sample)),
    );
    return own.filter(Boolean).length * pipelines.length;
  }

  /** What is missing of a model, weight set by weight set. */
  private jobsOf(model: string): Job[] {
    const groups = this.groups
      .map((group, index) => ({ ...group, index }))
      .filter(({ group }) => group.model === model);
    return this.weightSets.flatMap(({ pipelines }, weightSet) =>
      groups.flatMap(({ group, cells, index }) =>
        Array.from({ length: group.samples }, (_, sample): Job => {
          const missing = pipelines
            .map((pipeline) => ({ pipeline, cell: cells[pipeline]!.key }))
            .filter(({ cell }) => this.owns(index, sample) && !this.folder.has(cell, sample));
          return { group: index, sample, weightSet, missing };
        }).filter(({ missing }) => missing.length > 0),
      ),
    );
  }

  /** Those that the spec asks for: an earlier one may have asked for more samples. */
  private entriesOf(cells: readonly CellInfo[]): Pick<RunOutcome, 'records' | 'inapplicable'> {
    const samples = new Map(cells.map((cell) => [cell.key, cell.samples]));
    const isAsked = ({ cell, sample }: JournalEntry): boolean => sample < (samples.get(cell) ?? 0);
    const { records, inapplicable } = this.folder;
    return { records: records.filter(isAsked), inapplicable: inapplicable.filter(isAsked) };
  }
}

function manifestOf(
  spec: ResolvedSpec,
  hash: string,
  engine: EngineFacts,
  models: readonly ModelRecord[],
  groups: readonly CellGroup[],
  shard: Shard | undefined,
): Manifest {
  const { plugins } = spec.registry;
  return createManifest(
    {
      name: spec.name,
      spec: spec.canonical,
      specHash: hash,
      specFolder: spec.folder,
      engine: { name: engine.name, threads: engine.threads, versions: engine.versions },
      protocol: PROTOCOL_VERSION,
      models,
      data: dataOf(groups),
      cells: groups.flatMap(({ cells }) => cells),
      ...(plugins.length === 0 ? {} : { plugins: plugins.map(({ use, digest }) => ({ use, digest })) }),
      shard,
    },
    spec.file,
  );
}
