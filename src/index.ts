/**
 * What `import … from 'spark-eval'` gives: run a spec, read its results, write a method or a task.
 *
 * Programs and plug-ins see this module alone, so that what lies behind it can be rearranged. Later versions only add to it.
 */
import { resolve } from 'node:path';
import type { EngineName } from './engine/types.js';
import { SpecDocument } from './experiment/document.js';
import { loadDocument } from './experiment/load.js';
import { specOfShard } from './experiment/shard.js';
import type { ResolvedSpec } from './experiment/types.js';
import { readResults as readFolders } from './report/read-results.js';
import type { Manifest, SampleRecord, Shard } from './results/types.js';
import { resultRows } from './results/results-csv.js';
import type { Progress } from './runner/progress.js';
import type { RunOutcome } from './runner/run.js';

export { z } from 'zod';
export { UserError } from './base/errors.js';
export { Random, randomFor } from './base/random.js';
export type {
  ByteParts,
  CacheDtype,
  DecodePolicy,
  LayerPlan,
  LayerShape,
  LayerTrace,
  Observation,
  Precision,
  SidePlan,
} from './cache/types.js';
export type { EngineName } from './engine/types.js';
export type { ResolvedSpec } from './experiment/types.js';
export { keptChannels, sidesPruned } from './methods/channel/channels.js';
export {
  attentionSums,
  observed,
  valueOutputNorms,
  windowAttention,
  windowField,
  windowLogits,
  windowOutputs,
  windowQueries,
} from './methods/observations.js';
export { expectDense } from './methods/plan.js';
export { indicesOfLargest, kthLargest, markLargest } from './methods/select.js';
export {
  budgetFields,
  type BudgetParams,
  checkBudget,
  type ScoreDefinition,
  type ScoringMethod,
  tokenMethod,
} from './methods/token/token-method.js';
export type {
  Axis,
  ChannelMethod,
  Method,
  MethodStep,
  Pipeline,
  PrecisionMethod,
  RankMethod,
  Side,
  TokenMethod,
  WeightsRequest,
} from './methods/types.js';
export type { CellInfo, Inapplicable, Manifest, SampleRecord, Shard } from './results/types.js';
export type { Progress } from './runner/progress.js';
export type { RunOutcome } from './runner/run.js';
export type { DataFiles } from './tasks/files/data-files.js';
export { qaF1 } from './tasks/scorers/qa-f1.js';
export { rougeL } from './tasks/scorers/rouge-l.js';
export { allFound, anyFound, cleanPrediction } from './tasks/scorers/substring.js';
export { bestScore, type ScoreContext, type Scorer } from './tasks/scorers/types.js';
export type {
  IgnoredField,
  OpenTask,
  PlainPrompt,
  Question,
  Sample,
  Task,
  TaskContext,
} from './tasks/types.js';

/** A spec that a program holds as text (YAML or JSON) or as an object. */
export interface SpecText {
  readonly spec: string | Readonly<Record<string, unknown>>;
  /** Where relative paths in the spec start. Default: the current directory. */
  readonly folder?: string;
}

export interface LoadOptions {
  /** Plug-ins beside those that the spec names: absolute paths, or paths and packages from the current directory. */
  readonly use?: readonly string[];
  /** `path=value`, as `--set`. */
  readonly set?: readonly string[];
}

/**
 * Reads, checks and expands a spec, and loads its plug-ins.
 *
 * @param source path of a spec file, or the spec itself
 * @throws UserError with everything that is wrong, each with its place
 */
export async function loadSpec(source: string | SpecText, options: LoadOptions = {}): Promise<ResolvedSpec> {
  const { use = [], set = [] } = options;
  return loadDocument(documentOf(source), {
    overrides: set,
    use: use.map((name) => ({ use: name, folder: process.cwd(), place: 'use' })),
  });
}

function documentOf(source: string | SpecText): SpecDocument {
  if (typeof source === 'string') return SpecDocument.read(source);
  const { spec, folder = process.cwd() } = source;
  const text = typeof spec === 'string' ? spec : JSON.stringify(spec);
  return SpecDocument.parse(text, resolve(folder, 'spec.yaml'));
}

export interface RunOptions {
  /** Default: the first that is installed of gpu, native, wasm. */
  readonly engine?: EngineName | 'auto';
  /** Processes that compute samples; at least 1, which is the default. The results are the same, whatever their number. */
  readonly workers?: number;
  /** Bytes that all processes together may take. Default: the machine's, or the container's. */
  readonly memory?: number;
  /** Only this part of the samples. */
  readonly shard?: Shard;
  /** Remove the results that are in the output folder. Default: false, what is there is reused. */
  readonly fresh?: boolean;
  /** Stops between layers and tokens; what is finished is kept. */
  readonly signal?: AbortSignal;
  /** Told as the run goes on; any of its functions. */
  readonly progress?: Partial<Progress>;
}

/**
 * Runs what is missing of a spec and writes its output folder, as `spark-eval run` does.
 *
 * @returns the records of all its cells; `complete` is false where the signal stopped it
 * @throws UserError where something cannot be computed; what is finished is kept
 */
export async function runSpec(spec: ResolvedSpec, options: RunOptions = {}): Promise<RunOutcome> {
  const { engine = 'auto', workers = 1, fresh = false, memory, shard, progress } = options;
  const quiet: Progress = {
    start: () => undefined,
    phase: () => undefined,
    tick: () => undefined,
    log: () => undefined,
    stop: () => undefined,
  };
  const runner = await import('./runner/run.js');
  return runner.runSpec(specOfShard(spec, shard), {
    ...{ engine, workers, fresh, memory, shard },
    progress: { ...quiet, ...progress },
    signal: options.signal ?? new AbortController().signal,
  });
}

/** Results as they lie in result folders. */
export interface Results {
  /** One row a cell: names, parameters, score, interval, loss and bytes, as `results.csv` has them. */
  readonly rows: ReturnType<typeof resultRows>;
  /** One record a (cell, sample): answer, score, bytes, times. */
  readonly records: readonly SampleRecord[];
  readonly manifests: readonly Manifest[];
}

/**
 * Reads result folders; no plug-in, model or data is needed.
 *
 * @throws UserError where a path is no result folder, is damaged, or two of them contradict each other
 */
export function readResults(...folders: readonly string[]): Results {
  const read = readFolders(folders);
  const manifests = read.folders.map(({ manifest }) => manifest);
  return {
    rows: manifests.flatMap((manifest) => {
      const own = new Set(manifest.cells.map(({ key }) => key));
      return resultRows(
        read.results.filter(({ cell }) => own.has(cell.key)),
        manifest,
      );
    }),
    records: read.results.flatMap(({ records }) => records),
    manifests,
  };
}
