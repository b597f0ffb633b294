/**
 * Finds our pipelines in a published table.
 *
 * The same methods in the same order, with the parameters that tell published rows apart. Budgets of a scaled-down run
 * stand for the published ones in order of size, which is said.
 */
import { UserError } from '../../base/errors.js';
import { type Block, countOf, FULL, type PipelineRow } from '../blocks.js';
import { groupBy } from '../group-by.js';
import type { PaperCell, PaperTable, ParamValue, Pattern } from './types.js';

export interface Match {
  /** Our pipeline in a place of the table. */
  rowOf(cell: PaperCell): PipelineRow | undefined;
  /** Our tasks by the names of the table; empty where ours are all others. */
  readonly taskOf: ReadonlyMap<string, string>;
  /** The tasks of our average: those of the table that we have, or else all that we have. */
  readonly tasks: readonly string[];
  /** True where the numbers are meant to be the published ones: their model, their tasks or some of them, their budgets. */
  readonly replication: boolean;
  /** True where no task is missing either, nor has fewer samples than published. */
  readonly wholeReplication: boolean;
  /** Our value in place of a published level, where it is another. */
  readonly standIns: ReadonlyMap<number, number>;
  /** Where we differ from the paper, a sentence each. */
  readonly remarks: readonly string[];
  /** Pipelines that have no place in the table. */
  readonly others: readonly PipelineRow[];
}

interface Candidate {
  readonly row: PipelineRow;
  readonly steps: Pattern;
  readonly level: { readonly param: string; readonly value: number } | undefined;
  /** `method.param value (published: value)` */
  readonly deviations: readonly string[];
}

export function matchTable(table: PaperTable, block: Block): Match {
  const candidates = block.rows.map((row) => candidate(row, table));
  const cells = table.sections.flatMap(({ rows }) => rows.flatMap((row) => row.cells));
  const patterns = [...groupBy(cells, ({ pattern }) => JSON.stringify(pattern)).values()].map(
    (list) => list[0]!.pattern,
  );
  const fitting = candidates.filter(({ steps }) => patterns.some((pattern) => fits(steps, pattern)));
  const standIns = scaledLevels(table, fitting);
  const chosen = new Map<string, Candidate>();
  for (const cell of cells) {
    const wanted = cell.level === undefined ? undefined : (standIns.get(cell.level) ?? cell.level);
    const [best] = fitting
      .filter(({ steps, level }) => fits(steps, cell.pattern) && level?.value === wanted)
      .sort((a, b) => a.deviations.length - b.deviations.length);
    if (best !== undefined) chosen.set(placeOf(cell), best);
  }
  const taken = new Set([...chosen.values()].map(({ row }) => row));
  const { taskOf, stray } = ourTasks(table, block);
  const wanted = Object.keys(table.samples);
  const tasks = taskOf.size === 0 ? block.tasks : wanted.flatMap((name) => taskOf.get(name) ?? []);
  const sameModel = isModel(block.model, table.model);
  const replication = sameModel && taskOf.size > 0 && standIns.size === 0;
  const fewer = fewerSamples(table, block, taskOf);
  return {
    rowOf: (cell) => chosen.get(placeOf(cell))?.row,
    taskOf,
    tasks,
    replication,
    wholeReplication: replication && taskOf.size === wanted.length && fewer.length === 0,
    standIns,
    others: block.rows.filter((row) => !taken.has(row)),
    remarks: [
      ...(sameModel
        ? []
        : [`Ours is ${block.model}; published is ${table.model}. Only changes from full can be compared.`]),
      ...taskRemarks(table, block, taskOf),
      ...(stray.length === 0
        ? []
        : [`Not part of the average, since not of the table: ${stray.join(', ')}.`]),
      ...fewer,
      ...[...standIns].map(
        ([level, own]) => `${own} stands for the published ${table.levels.param} ${level}.`,
      ),
      ...new Set([...chosen.values()].flatMap(({ deviations }) => deviations)),
    ],
  };
}

function taskRemarks({ families, samples }: PaperTable, block: Block, taskOf: Match['taskOf']): string[] {
  const wanted = Object.keys(samples);
  if (taskOf.size === 0) {
    return [
      `Ours are other tasks (${block.tasks.join(', ')}); published are the ${wanted.length} of ${families[0]!}.`,
    ];
  }
  const missing = wanted.filter((name) => !taskOf.has(name));
  return missing.length === 0
    ? []
    : [
        `Averages are over the ${taskOf.size} of ${wanted.length} tasks that were run; missing are ${missing.join(', ')}.`,
      ];
}

/** Tasks that were asked for fewer samples than were published. */
function fewerSamples({ samples }: PaperTable, block: Block, taskOf: Match['taskOf']): string[] {
  const fewer = [...taskOf].flatMap(([name, task]) => {
    const asked = Math.min(...block.rows.map((row) => countOf(row, [task]).asked));
    return asked < samples[name]! ? [`${name} ${asked} of ${samples[name]!}`] : [];
  });
  return fewer.length === 0 ? [] : [`Fewer samples than published: ${fewer.join(', ')}.`];
}

/** The steps of a pipeline: methods from its label, parameters by their owner. */
export function stepsOf({ pipeline, params }: Pick<PipelineRow, 'pipeline' | 'params'>): Pattern {
  if (pipeline === FULL) return [];
  const uses = new Map<string, number>();
  return methodsOf(pipeline).map((method) => {
    const use = (uses.get(method) ?? 0) + 1;
    uses.set(method, use);
    const owner = `${use === 1 ? method : `${method}#${use}`}.`;
    const own = Object.entries(params).filter(([name]) => name.startsWith(owner));
    return {
      method,
      params: Object.fromEntries(own.map(([name, value]) => [name.slice(owner.length), value])),
    };
  });
}

/** `snapkv(budget=128)+spark(ratio=0.5)` → snapkv, spark. */
function methodsOf(label: string): string[] {
  let depth = 0;
  let bare = '';
  for (const sign of label) {
    if (sign === '(') depth++;
    if (depth === 0) bare += sign;
    if (sign === ')') depth--;
  }
  return bare.split('+');
}

function candidate(row: PipelineRow, { levels, settings }: PaperTable): Candidate {
  const steps = stepsOf(row);
  const evicting = steps[0]?.params ?? {};
  const param = evicting[levels.param] === undefined ? otherParam(levels.param) : levels.param;
  const value = evicting[param];
  const isLevel = typeof value === 'number' && isEviction(steps[0]!.method);
  return {
    row,
    steps,
    level: isLevel ? { param, value } : undefined,
    deviations: Object.entries(settings)
      .filter(([name, usual]) => row.params[name] !== undefined && row.params[name] !== usual)
      .map(([name, usual]) => `${name} is ${String(row.params[name])}; in the paper ${String(usual)}.`),
  };
}

function otherParam(param: 'budget' | 'ratio'): 'budget' | 'ratio' {
  return param === 'budget' ? 'ratio' : 'budget';
}

/** Channel methods have a ratio too, of channels. */
function isEviction(method: string): boolean {
  return method !== 'spark' && method !== 'think';
}

/** A parameter that a result does not name is from before it existed, and then at its default. */
function fits(steps: Pattern, pattern: Pattern): boolean {
  return (
    steps.length === pattern.length &&
    pattern.every(({ method, params }, index) => {
      const step = steps[index]!;
      const same = ([name, value]: [string, ParamValue]): boolean =>
        step.params[name] === undefined || step.params[name] === value;
      return step.method === method && Object.entries(params).every(same);
    })
  );
}

/** Our levels for the published ones, in order of what is kept; empty where they are the same, or cannot be paired. */
function scaledLevels({ levels }: PaperTable, candidates: readonly Candidate[]): Map<number, number> {
  const ours = candidates.flatMap(({ level }) => (level === undefined ? [] : [level]));
  const params = new Set(ours.map(({ param }) => param));
  const values = [...new Set(ours.map(({ value }) => value))];
  const same = params.has(levels.param) && params.size === 1;
  if (params.size !== 1 || (same && values.every((value) => levels.values.includes(value)))) return new Map();
  if (values.length !== levels.values.length) return new Map();
  const byKept = (list: readonly number[], param: string): number[] =>
    [...list].sort((a, b) => (param === 'budget' ? a - b : b - a));
  const own = byKept(values, [...params][0]!);
  return new Map(byKept(levels.values, levels.param).map((level, index) => [level, own[index]!]));
}

/** Our tasks by the table's names, in the order of the block, and those that it does not have. */
function ourTasks(
  { families, samples }: PaperTable,
  block: Block,
): { readonly taskOf: ReadonlyMap<string, string>; readonly stray: readonly string[] } {
  const taskOf = new Map<string, string>();
  const stray: string[] = [];
  for (const task of block.tasks) {
    const [family = '', name = ''] = block.nameOf.get(task)!.split('/');
    if (!families.includes(family) || !(name in samples)) {
      stray.push(task);
      continue;
    }
    const other = taskOf.get(name);
    if (other !== undefined) {
      throw new UserError(`the results hold both ${other} and ${task}, which are one column of the table`, {
        hint: 'They are different copies of the data, or one under different parameters. Give results of one of them.',
        exitCode: 2,
      });
    }
    taskOf.set(name, task);
  }
  return { taskOf, stray: taskOf.size === 0 ? [] : stray };
}

/** Also the paths of checkpoints, whatever stands around the name: `models/Meta-Llama-3-8B-Instruct`. */
function isModel(name: string, model: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  return plain(name).includes(plain(model));
}

function placeOf({ pattern, level }: PaperCell): string {
  return JSON.stringify([pattern, level ?? null]);
}
