/**
 * Whether a worker takes a run.
 *
 * A worker takes a run only where its results would be those of the coordinator's machine: the same program, engine,
 * weights, tokenizers and data.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import { dataOf } from '../experiment/cells.js';
import type { JobRunner } from '../runner/jobs.js';
import { fitModels } from '../runner/models.js';
import { prepareRun } from '../runner/prepare.js';
import type { Progress } from '../runner/progress.js';
import { WorkerRunner } from '../runner/workers.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Registry } from '../registry/registry.js';
import {
  differences,
  engineIdentity,
  filesIdentity,
  type Identity,
  pluginIdentities,
  programIdentity,
} from './identity.js';
import type { RunCard } from './messages.js';
import { resolveSource } from './spec-source.js';

export interface AdmissionOptions {
  /** The built-in methods and tasks, and the plug-ins that this worker was given itself. */
  readonly registry: Registry;
  /** Where relative paths of specs start. Default: as `resolveSource`. */
  readonly folder?: string | undefined;
  /** `auto`: the run's. */
  readonly engine: EngineName | 'auto';
  /** Bytes that the worker may take. Default: the machine's, or the container's. */
  readonly memory?: number | undefined;
  /** Of the process that computes. Default: the processors. */
  readonly threads?: number | undefined;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal: AbortSignal;
}

/** A run that this worker computes. */
export interface Admitted {
  readonly spec: ResolvedSpec;
  /** The keys of all cells, group by group. */
  readonly cells: readonly string[];
  /** A process that computes its jobs, on the run's engine. */
  readonly start: (progress: Pick<Progress, 'phase' | 'log'>) => JobRunner;
}

/** Throws UserError with the reason where this machine cannot take the run. */
export async function admit(card: RunCard, options: AdmissionOptions): Promise<Admitted> {
  expectSame(card, programIdentity());
  if (options.engine !== 'auto' && options.engine !== card.engine) {
    throw new UserError(`the run is on engine ${card.engine}, and this worker on ${options.engine}`);
  }
  expectPlugins(card, options.registry);
  const spec = await resolveSource(card.spec, options.registry, options.folder);
  const files = await lookAtFiles(spec, card.engine, options.memory);
  expectSame(card, files.identity);
  const { signal } = options;
  const start = (progress: Pick<Progress, 'phase' | 'log'>): WorkerRunner =>
    new WorkerRunner({
      ...{ spec, engine: card.engine, threads: options.threads },
      ...{ cacheBytes: files.cacheBytes, progress, signal },
    });
  const runner = start(options.progress);
  try {
    expectSame(card, engineIdentity(await runner.engine()));
  } finally {
    runner.close();
  }
  return { spec, cells: files.cells, start };
}

async function lookAtFiles(
  spec: ResolvedSpec,
  engine: EngineName,
  memory: number | undefined,
): Promise<{ identity: Identity; cells: string[]; cacheBytes: number }> {
  const prepared = await prepareRun(spec);
  try {
    const { models, records, groups, cells } = prepared;
    return {
      identity: filesIdentity({ models: records, data: dataOf(groups), cells }),
      cells: cells.map(({ key }) => key),
      cacheBytes: fitModels(spec, models, { engine, workers: 1, memory }),
    };
  } finally {
    prepared.close();
  }
}

/** Only plug-ins that the worker was started with are used, whatever a job names. */
function expectPlugins({ identity }: RunCard, { plugins }: Registry): void {
  const missing = Object.entries(pluginIdentities(identity)).filter(
    ([, digest]) => !plugins.some((plugin) => plugin.digest === digest),
  );
  if (missing.length === 0) return;
  throw new UserError(
    `plug-ins that this worker does not have:${missing.map(([name, digest]) => `\n    ${name} ${digest}`).join('')}`,
    { hint: 'Start it with: spark-eval worker --use FILE, for each of them, with the same files.' },
  );
}

function expectSame({ identity }: RunCard, here: Identity): void {
  const found = differences(identity, here);
  if (found.length === 0) return;
  throw new UserError(`not the same here:${found.map((line) => `\n    ${line}`).join('')}`);
}
