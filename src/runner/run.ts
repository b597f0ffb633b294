/**
 * A run: every missing (cell, sample) of a spec, computed and written as it finishes.
 *
 * Nothing finished is computed again, and only this process writes results, whoever computes them: a run can be stopped at
 * any time and goes on where it was.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
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
  type SampleRecord,
  type Shard,
} from '../results/types.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { dataOf } from '../experiment/cells.js';
import type { EngineRecord } from './engine-record.js';
import { latencyCsv } from '../results/latency.js';
import { measureLatencies } from './measure-latency.js';
import { countAsked, type JobRecord, missingJobs } from './jobs.js';
import { type JobPool, openLocalPool, type OpenPool } from './pool.js';
import { type PreparedRun, prepareRun } from './prepare.js';
import type { Progress } from './progress.js';
import { checkSamples } from './sample/check-samples.js';
import { sampleName } from './sample/sample-name.js';
import { fromWorker } from './worker-error.js';

export interface RunOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: Progress;
  /** Remove the results that are there. */
  readonly fresh: boolean;
  /** Processes that compute samples; at least 1. The results are the same, whatever their number. */
  readonly workers: number;
  /** Of each process; at least 1. Default: its share of the processors. The results are the same, whatever their number. */
  readonly threads?: number | undefined;
  /** Bytes that the run may take, all processes together. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  /** Who computes in place of this machine; engine, workers, threads and memory are then its own business. */
  readonly openPool?: OpenPool | undefined;
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
  const prepared = await prepareRun(spec);
  try {
    const { openPool = (run: PreparedRun) => openLocalPool(run, options) } = options;
    const pool = await openPool(prepared);
    try {
      return await runPrepared(prepared, pool, options);
    } finally {
      pool.close();
    }
  } finally {
    prepared.close();
  }
}

async function runPrepared(
  prepared: PreparedRun,
  pool: JobPool,
  { fresh, shard, progress, signal }: RunOptions,
): Promise<RunOutcome> {
  const own = manifestOf(prepared, pool.engine, shard);
  const folder = ResultFolder.open(prepared.spec.output, {
    ...own,
    engine: pool.engine.name,
    kernels: pool.engine.versions['kernels'],
    fresh,
  });
  try {
    for (const [name, { notes = [] }] of prepared.models)
      for (const note of notes) progress.log(`${name}: ${note}`);
    for (const warning of folder.warnings) progress.log(warning);
    const manifest = continued(own, folder.earlier, [...folder.records, ...folder.inapplicable]);
    return await computeMissing({ prepared, pool, folder, manifest }, { shard, progress, signal });
  } finally {
    progress.stop();
    folder.close();
  }
}

/** All that a run needs, ready. */
interface ReadyRun {
  readonly prepared: PreparedRun;
  readonly pool: JobPool;
  readonly folder: ResultFolder;
  readonly manifest: Manifest;
}

async function computeMissing(
  { prepared, pool, folder, manifest }: ReadyRun,
  { shard, progress, signal }: Pick<RunOptions, 'shard' | 'progress' | 'signal'>,
): Promise<RunOutcome> {
  const { spec, cells } = prepared;
  const measures = spec.latency !== undefined && shard === undefined;
  if (measures && pool.measure === undefined) {
    throw new UserError('latencies are measured by the process that runs a spec', {
      place: `${spec.file}: latency`,
      hint: 'Leave latency: out of a run with --queue; with it, run the spec once more without --queue, when all samples are there.',
      exitCode: 2,
    });
  }
  const jobs = missingJobs(prepared, (cell, sample) => folder.has(cell, sample), shard);
  const asked = countAsked(spec, shard);
  const reused = asked - jobs.reduce((total, { missing }) => total + missing.length, 0);
  for (const remark of await checkSamples(prepared, jobs, signal)) progress.log(remark);
  if (measures) folder.dropLatency();
  folder.begin(manifest);
  progress.start(asked, spec.name, reused);
  const outcome = { cells, asked, reused };
  try {
    await pool.run(jobs, {
      manifest,
      onRecords: ({ group, sample }, records) => {
        for (const record of records) keep(record, folder, progress);
        progress.tick(records.length, sampleName(spec.groups[group]!, sample));
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    return { complete: false, manifest, ...outcome, ...entriesOf(folder, cells) };
  }
  const finished = { ...manifest, finishedAt: new Date().toISOString() };
  folder.finish(cells, finished);
  // behind the tables: whatever becomes of it, they are there
  const measured = measures ? await latencyOf(prepared, pool, { progress, signal }) : undefined;
  if (measured !== undefined) folder.writeLatency(measured);
  const complete = measured !== undefined || !measures;
  return { complete, manifest: finished, ...outcome, ...entriesOf(folder, cells) };
}

/** The text of latency.csv; undefined where the signal stopped it. */
async function latencyOf(
  prepared: PreparedRun,
  { engine, measure }: JobPool,
  context: Pick<RunOptions, 'progress' | 'signal'>,
): Promise<string | undefined> {
  const settings = prepared.spec.latency!;
  try {
    const { cells, measured } = await measureLatencies(prepared, settings, measure!, context);
    return latencyCsv(cells, measured, settings, engine);
  } catch (error) {
    if (context.signal.aborted) return undefined;
    throw error;
  }
}

/** Writes a record, or that a pipeline cannot be applied, which is told at once. */
function keep(record: JobRecord, folder: ResultFolder, progress: Pick<Progress, 'log'>): void {
  if (!('error' in record)) {
    folder.append(record);
    return;
  }
  const { cell, sample } = record;
  const error = fromWorker(record.error);
  const inapplicable = error instanceof UserError ? error.format() : error.message;
  progress.log(inapplicable);
  folder.append({ format: FORMAT_VERSION, cell, sample, inapplicable });
}

/** Those that the spec asks for: an earlier one may have asked for more samples. */
function entriesOf(
  { records, inapplicable }: ResultFolder,
  cells: readonly CellInfo[],
): Pick<RunOutcome, 'records' | 'inapplicable'> {
  const samples = new Map(cells.map((cell) => [cell.key, cell.samples]));
  const isAsked = ({ cell, sample }: JournalEntry): boolean => sample < (samples.get(cell) ?? 0);
  return { records: records.filter(isAsked), inapplicable: inapplicable.filter(isAsked) };
}

function manifestOf(
  { spec, records, groups, cells }: PreparedRun,
  { name, threads, versions }: EngineRecord,
  shard: Shard | undefined,
): Manifest {
  const { plugins } = spec.registry;
  return createManifest(
    {
      name: spec.name,
      spec: spec.canonical,
      specHash: specHash(spec),
      specFolder: spec.folder,
      engine: { name, threads, versions },
      protocol: PROTOCOL_VERSION,
      models: records,
      data: dataOf(groups),
      cells,
      ...(plugins.length === 0 ? {} : { plugins: plugins.map(({ use, digest }) => ({ use, digest })) }),
      shard,
    },
    spec.file,
  );
}
