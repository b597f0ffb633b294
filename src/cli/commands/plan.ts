/**
 * `spark-eval plan SPEC.yaml`: what a run would do.
 *
 * Shows cells, samples, the size of the full cache and what is there already; what a run would refuse leaves its exit code.
 */
import type { Command } from 'commander';
import { UserError } from '../../base/errors.js';
import { type Align, alignColumns } from '../../report/text-table.js';
import type { FolderState } from '../../runner/folder-state.js';
import type { ForeseenSamples } from '../../runner/refusals.js';
import { taskLabel } from '../../experiment/label.js';
import { modelPlace } from '../../experiment/paths.js';
import type { ModelConfig } from '../../checkpoint/types.js';
import type { ResolvedSpec, TaskCell } from '../../experiment/types.js';
import { readSpecState } from '../catalogue.js';
import { formatBytes, plural } from '../format.js';
import { leftOutLines } from '../left-out.js';
import {
  addSpec,
  jsonOption,
  type JsonOptions,
  shardOption,
  type ShardOptions,
  type SpecOptions,
} from '../options.js';
import type { Session } from '../session.js';

type PlanOptions = SpecOptions & ShardOptions & JsonOptions;

export function addPlan(root: Command, session: Session): void {
  addSpec(
    root.command('plan').description('show the cells of a spec and what a run would reuse; run nothing'),
  )
    .addOption(shardOption())
    .addOption(jsonOption())
    .action((file: string, options: PlanOptions) => printPlan(file, options, session));
}

export async function printPlan(file: string, options: PlanOptions, session: Session): Promise<void> {
  const { spec, state } = await readSpecState(file, options);
  const bytes = await fullCachesOf(spec);
  const { foreseeReach, foreseeRefusals, foreseeSamples } = await import('../../runner/refusals.js');
  const first = await foreseeRefusals(spec);
  // what is wrong with a model or a task is told once, not of each of its samples
  const samples =
    first.length === 0 ? await foreseeSamples(spec) : { refusals: [], remarks: foreseeReach(spec) };
  const refusals = [...first, ...samples.refusals];
  const { remarks } = samples;
  if (options.json === true) session.printJson(planJson(spec, state, bytes, { refusals, remarks }));
  else session.print(planText(spec, state, bytes, { refusals, remarks }, options.shard));
  if (refusals[0] !== undefined) session.exitCode = refusals[0].exitCode;
}

const OWN_LENGTHS =
  '* rows of a file have lengths of their own: this is only what the full cache is reckoned for';

function planJson(
  spec: ResolvedSpec,
  state: FolderState,
  bytes: ReadonlyMap<TaskCell, number>,
  { refusals, remarks }: ForeseenSamples,
): unknown {
  return {
    name: spec.name,
    output: spec.output,
    pipelines: spec.pipelines,
    cacheDtype: spec.cacheDtype,
    results: state.total,
    reused: state.done,
    leftOut: {
      results: state.leftOut.results,
      cells: state.leftOut.cells.map(({ cell, results }) => ({ ...cell, results })),
    },
    ...(spec.latency === undefined ? {} : { latency: { ...spec.latency, measured: !state.lacksLatency } }),
    changedModels: state.changedModels,
    refusals: refusals.map(({ place, message, hint }) => ({ place, message, hint })),
    remarks,
    cells: state.cells.map(({ group, pipeline, samples, done }) => ({
      ...group,
      samples,
      pipeline,
      reused: done,
      fullCacheBytes: bytes.get(group) ?? null,
    })),
  };
}

function planText(
  spec: ResolvedSpec,
  state: FolderState,
  bytes: ReadonlyMap<TaskCell, number>,
  { refusals, remarks }: ForeseenSamples,
  shard?: PlanOptions['shard'],
): string {
  const { tasks } = spec.registry;
  const hasOwnLengths = ({ task }: TaskCell): boolean =>
    tasks.get(task)?.ignores?.includes('context') === true;
  const header = ['model', 'task', 'context', 'seed', 'question', 'samples', 'full cache', 'reused'];
  const rows = spec.groups.map((group) => {
    const size = bytes.get(group);
    const cells = state.cells.filter((cell) => cell.group === group);
    const reused = cells.reduce((sum, cell) => sum + cell.done, 0);
    const { samples } = cells[0]!;
    return [
      group.model,
      taskLabel(group.task, group.taskParams, tasks),
      `${hasOwnLengths(group) ? '*' : ''}${group.context}`,
      String(group.seed),
      group.question,
      String(samples),
      size === undefined ? '–' : formatBytes(size),
      `${reused}/${samples * cells.length}`,
    ];
  });
  const align = header.map((_, column): Align => ([2, 3, 5, 6, 7].includes(column) ? 'right' : 'left'));
  return [
    `${spec.name} → ${spec.output}`,
    '',
    `${plural(spec.pipelines.length, 'pipeline')}, each for every line below:`,
    ...pipelineLines(spec, state),
    '',
    ...alignColumns([header, ...rows], align),
    ...(spec.groups.some(hasOwnLengths) ? [OWN_LENGTHS] : []),
    '',
    `${plural(state.total, 'result')}, ${state.done} reused, ${state.total - state.done} to do`,
    ...latencyLines(spec, state, shard),
    ...leftOutLines(state.leftOut),
    ...state.changedModels.map(
      (model) =>
        `files of ${model} have changed since; a run compares their digests, and goes on only where they are the same`,
    ),
    ...remarks,
    ...(refusals.length === 0 ? [] : ['', 'a run would be refused:']),
    ...refusals.map((error) => error.format().replace(/^/gm, '  ')),
  ].join('\n');
}

/** What is measured behind the results. */
function latencyLines(
  { latency, groups, pipelines }: ResolvedSpec,
  { lacksLatency }: FolderState,
  shard: PlanOptions['shard'],
): string[] {
  if (latency === undefined) return [];
  if (shard !== undefined)
    return ['latencies are not measured by a shard: run the whole spec when all shards are merged'];
  const { tokens, warmup, repeats } = latency;
  const rows = plural(groups.length * pipelines.length, 'row');
  return [
    `latencies of ${rows}, ${lacksLatency ? 'each measured alone when all results are there' : 'measured alone'}: ${warmup} + ${repeats} rounds of ${plural(tokens, 'token')}`,
  ];
}

/** The pipelines; with what is reused of each where that is a part of the whole. */
function pipelineLines({ pipelines }: ResolvedSpec, { cells, done, total }: FolderState): string[] {
  if (done === 0 || done === total) return pipelines.map(({ label }) => `  ${label}`);
  const rows = pipelines.map(({ label }, p) => {
    const own = cells.filter((_, index) => index % pipelines.length === p);
    const sum = (of: (cell: (typeof own)[number]) => number): number =>
      own.reduce((all, cell) => all + of(cell), 0);
    return [`  ${label}`, `${sum((cell) => cell.done)}/${sum((cell) => cell.samples)} reused`];
  });
  return alignColumns(rows, ['left', 'right']);
}

/** Bytes of one sample's uncompressed cache at full context, for the models that are present. */
async function fullCachesOf(spec: ResolvedSpec): Promise<Map<TaskCell, number>> {
  const { readModelConfig } = await import('../../checkpoint/read-config.js');
  const { fullCacheBytes } = await import('../../cache/bytes.js');
  const configs = new Map<string, ModelConfig | undefined>();
  for (const { model } of spec.groups) {
    if (configs.has(model)) continue;
    try {
      configs.set(model, readModelConfig(modelPlace(model, spec.folder)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      configs.set(model, undefined);
    }
  }
  return new Map(
    spec.groups.flatMap((group) => {
      const config = configs.get(group.model);
      if (config === undefined) return [];
      const { kvHeads, headDim, windows } = config;
      const shape = { kvHeads, headDim, length: group.context };
      return [[group, fullCacheBytes(shape, windows, spec.cacheDtype)] as const];
    }),
  );
}
