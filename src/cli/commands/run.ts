/**
 * `spark-eval run SPEC.yaml`: does what is missing, and shows what came out.
 *
 * The same command goes on after an interrupt, so that the message of an interrupt is that command.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { EngineName } from '../../engine/types.js';
import { UserError } from '../../base/errors.js';
import { type RedisAddress, withoutPasswords } from '../../queue/address.js';
import type { Shard } from '../../results/types.js';
import type { OpenPool } from '../../runner/pool.js';
import type { Progress } from '../../runner/progress.js';
import type { RunOutcome } from '../../runner/run.js';
import { SHARDS_FOLDER, specOfShard } from '../../experiment/shard.js';
import type { SpecDocument } from '../../experiment/document.js';
import { STANDARD_INPUT } from '../../experiment/spec-text.js';
import type { ResolvedSpec } from '../../experiment/types.js';
import { readSpecDocument } from '../catalogue.js';
import { plural, shellCommand } from '../format.js';
import { noteInapplicable } from '../inapplicable.js';
import { onInterrupt } from '../interrupt.js';
import { leftOutLines } from '../left-out.js';
import {
  addSpec,
  engineOption,
  jsonOption,
  type JsonOptions,
  memoryOption,
  progressOption,
  queueOption,
  shardOption,
  type ShardOptions,
  type SpecOptions,
  threadsOption,
  workersOption,
} from '../options.js';
import { printPlan } from './plan.js';
import type { ProgressForm } from '../progress.js';
import { printJsonSummary, printSummary } from '../run-summary.js';
import type { Session } from '../session.js';

interface RunOptions extends SpecOptions, ShardOptions, JsonOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: ProgressForm;
  readonly fresh?: boolean;
  readonly workers: number;
  readonly threads?: number;
  readonly memory?: number;
  readonly queue?: RedisAddress;
  readonly dryRun?: boolean;
}

export function addRun(root: Command, session: Session): void {
  addSpec(
    root.command('run').description('run what is missing of a spec, write the results, print the summary'),
  )
    .addOption(engineOption())
    .addOption(progressOption())
    .addOption(workersOption())
    .addOption(threadsOption())
    .addOption(memoryOption())
    .addOption(shardOption())
    .addOption(queueOption())
    .option('--fresh', 'remove the results that are in the output folder and start over')
    .option('--dry-run', 'show the plan and run nothing, as "spark-eval plan"')
    .addOption(jsonOption())
    .action((file: string, options: RunOptions) => run(file, options, session));
}

async function run(file: string, options: RunOptions, session: Session): Promise<void> {
  if (options.dryRun === true) return printPlan(file, options, session);
  const { shard } = options;
  expectNoneBeside(options);
  const { spec: whole, document } = await readSpecDocument(file, options);
  const spec = specOfShard(whole, shard);
  const title = shard === undefined ? spec.name : `${spec.name}, shard ${shard.index}/${shard.count}`;
  const { folderState } = await import('../../runner/folder-state.js');
  const engine = options.engine === 'auto' ? undefined : options.engine;
  const state = options.fresh === true ? undefined : await folderState(spec, engine, shard);
  if (state?.finished !== undefined) {
    const { tidyFolder } = await import('../../results/folder.js');
    tidyFolder(spec.output, shard === undefined ? state.finished : undefined);
    const count = plural(state.finished.cells.length, 'cell');
    const what = shard === undefined ? `all ${count} are` : 'its results are';
    session.note(`${title} is finished: ${what} in ${spec.output} (--fresh starts over)`);
    const outcome = { ...state.finished, complete: true, asked: state.total, reused: state.total };
    return tellOutcome({ whole, spec, options, outcome }, session);
  }
  session.note(planLine(title, spec.output, spec.groups.length, spec.pipelines.length, state));

  if (state !== undefined) for (const line of leftOutLines(state.leftOut)) session.note(line);

  const interrupt = onInterrupt(session, 'what is finished is kept');
  try {
    const [{ runSpec }, { createProgress }] = await Promise.all([
      import('../../runner/run.js'),
      import('../progress.js'),
    ]);
    const { signal } = interrupt;
    const progress = createProgress(options.progress, session.stderr);
    const outcome = await runSpec(spec, {
      engine: options.engine,
      progress,
      openPool: await queueOf(document, options, progress, signal),
      fresh: options.fresh === true,
      workers: options.workers,
      threads: options.threads,
      memory: options.memory,
      shard,
      signal,
    });
    if (outcome.complete) session.note(`results in ${spec.output}`);
    await tellOutcome({ whole, spec, options, outcome }, session);
    if (outcome.complete) return;
    session.exitCode = interrupt.signal.aborted ? 130 : 3;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    session.exitCode = 130;
  } finally {
    interrupt.stop();
  }
  const again = file === STANDARD_INPUT ? ', with the same spec on standard input' : '';
  session.note(`  Go on with: ${goOnCommand(session.args)}${again}`);
}

/** What a run that has ended, or was stopped, leaves: tables on standard output, what is left to do beside it. */
async function tellOutcome(
  {
    whole,
    spec,
    options: { json, shard },
    outcome,
  }: {
    readonly whole: ResolvedSpec;
    readonly spec: ResolvedSpec;
    readonly options: RunOptions;
    readonly outcome: RunOutcome;
  },
  session: Session,
): Promise<void> {
  const { complete, asked, cells, records, inapplicable } = outcome;
  if (json === true) await printJsonSummary(spec, shard, outcome, session);
  else if (complete && shard === undefined) await printSummary(cells, records, session, inapplicable);
  if (complete) {
    if (shard !== undefined) noteMerge(whole.output, shard, session);
    noteInapplicable(cells, inapplicable, session);
  } else {
    const kept = records.length + inapplicable.length;
    session.note(`${kept} of ${plural(asked, 'result')} are kept in ${spec.output}`);
  }
}

/** A queue's workers are on machines of their own, and share the samples out themselves. */
function expectNoneBeside({ queue, shard, workers, threads, memory }: RunOptions): void {
  if (queue === undefined) return;
  const other =
    shard !== undefined
      ? '--shard'
      : workers !== 1
        ? '--workers'
        : threads !== undefined
          ? '--threads'
          : memory !== undefined
            ? '--memory'
            : undefined;
  if (other === undefined) return;
  throw new UserError(`${other} does not go with --queue`, {
    hint: 'With --queue all samples are computed by "spark-eval worker", as many as there are; each has its own --memory and --threads.',
    exitCode: 2,
  });
}

/** Who computes with `--queue`. */
async function queueOf(
  document: SpecDocument,
  { queue, engine, fresh }: RunOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<OpenPool | undefined> {
  if (queue === undefined) return undefined;
  const [{ openQueuePool }, { sourceOf }] = await Promise.all([
    import('../../queue/queue-pool.js'),
    import('../../queue/spec-source.js'),
  ]);
  const source = sourceOf(document);
  const options = { address: queue, source, engine, fresh: fresh === true, progress, signal };
  return ({ spec }) => openQueuePool(spec, options);
}

/** The same command, without what would start over, and without passwords. */
export function goOnCommand(args: readonly string[]): string {
  return shellCommand(['spark-eval', ...args.filter((arg) => arg !== '--fresh').map(withoutPasswords)]);
}

/** What is left to do when a shard is finished. */
function noteMerge(output: string, { count }: Shard, session: Session): void {
  session.note(
    count === 1 ? '  Make the tables with:' : `  When all ${count} shards are finished, join them with:`,
  );
  session.note(`  spark-eval merge ${mergePattern(output, count)}`);
}

/** The folders of all shards, for a shell. */
export function mergePattern(output: string, count: number): string {
  return `${shellCommand([join(output, SHARDS_FOLDER)])}/*-of-${count}`;
}

function planLine(
  title: string,
  output: string,
  groups: number,
  pipelines: number,
  state: { readonly done: number; readonly total: number } | undefined,
): string {
  const left =
    state === undefined ? '' : `, ${state.total - state.done} of ${plural(state.total, 'result')} to do`;
  return `${title}: ${plural(groups, 'group')} × ${plural(pipelines, 'pipeline')}${left} → ${output}`;
}
