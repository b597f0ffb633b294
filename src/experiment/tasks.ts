/**
 * The `tasks` list as tasks with parameters and sample counts.
 *
 * A family stands for all its tasks; a task that is named twice is one, whichever way its files are spelled.
 */
import { realpathSync } from 'node:fs';
import * as z from 'zod';
import { canonicalJson } from '../base/canonical-json.js';
import { didYouMean } from '../base/did-you-mean.js';
import type { Path } from './document.js';
import { LabelFault, readFields, readName } from './label-reader.js';
import { expandParams, MAX_COMBINATIONS, type Params } from './params.js';
import { withPaths } from './paths.js';
import type { Problems } from './problems.js';
import { ALL_ROWS, sampleCount, type SampleCount } from './schema.js';
import { type Entry, readEntry } from './task-entry.js';
import type { SpecCatalogue } from './types.js';

type Tasks = SpecCatalogue['tasks'];

export interface TaskChoice {
  readonly task: string;
  readonly params: Params;
  readonly samples: SampleCount;
}

/** What the list is read with. */
export interface TaskReading {
  readonly tasks: Tasks;
  /** Samples of tasks that do not say their own. */
  readonly samples: SampleCount;
  /** Where relative paths start. */
  readonly folder: string;
  readonly problems: Problems;
}

/** The family of the tasks on files of the user's own, one for each scorer. */
export const OWN_FAMILY = 'own';

const samplesSchema = z.strictObject({ samples: sampleCount.optional() });

/**
 * Every task of the list. A task that is named twice with equal parameters is kept once, with the greater number
 * of samples.
 */
export function readTasks(items: readonly unknown[], reading: TaskReading): TaskChoice[] {
  const { folder, problems } = reading;
  const choices = new Map<string, TaskChoice>();
  let made = 0;
  for (const [index, item] of items.entries()) {
    const expanded = readTask(item, ['tasks', index], reading);
    made += expanded.length;
    if (made > MAX_COMBINATIONS) {
      problems.add(['tasks'], `tasks: expands to more than ${MAX_COMBINATIONS} tasks`);
      break;
    }
    for (const choice of expanded) {
      const identity = canonicalJson([choice.task, withPaths(choice.params, folder, realPath)]);
      const known = choices.get(identity);
      choices.set(identity, {
        ...(known ?? choice),
        samples: greater(choice.samples, known?.samples ?? 0),
      });
    }
  }
  return [...choices.values()];
}

function greater(a: SampleCount, b: SampleCount): SampleCount {
  return a === ALL_ROWS || b === ALL_ROWS ? ALL_ROWS : Math.max(a, b);
}

/** `a.jsonl` and `./a.jsonl` are one file. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function readTask(item: unknown, path: Path, reading: TaskReading): TaskChoice[] {
  const { problems } = reading;
  if (typeof item === 'string') return readTaskLabel(item, path, reading);
  const entry = readEntry(item, path, reading.tasks, problems);
  if (entry === undefined) return [];
  const { key, at, params, samples } = entry;
  const count = samplesSchema.safeParse({ samples });
  if (!count.success) {
    problems.addIssues(count.error.issues, samplesSchema, { samples }, () => [...at, 'samples']);
  }
  const ownKeys = [...(key === undefined ? [] : [key]), 'samples'];
  return tasksOf(entry, reading).flatMap((task) =>
    choicesOf(task, params, at, count.data?.samples, ownKeys, reading),
  );
}

/** `ruler/niah_single_1`, `needle/map(depth=25)`, or a family. */
function readTaskLabel(label: string, path: Path, reading: TaskReading): TaskChoice[] {
  const { tasks, problems } = reading;
  try {
    const { name, inner } = readName(label);
    return resolveName(name, path, tasks, problems).flatMap((task) => {
      const written = readFields(inner, tasks.get(task)!.params);
      return choicesOf(task, written, path, undefined, [], reading);
    });
  } catch (error) {
    if (!(error instanceof LabelFault)) throw error;
    problems.add(path, `${problems.document.show(path)}: ${error.message}`);
    return [];
  }
}

function choicesOf(
  task: string,
  params: Params,
  at: Path,
  samples: SampleCount | undefined,
  ownKeys: readonly string[],
  reading: TaskReading,
): TaskChoice[] {
  const sets = expandParams(params, reading.tasks.get(task)!.params, at, reading.problems, ownKeys);
  return sets.map((set) => ({ task, params: set, samples: samples ?? reading.samples }));
}

function tasksOf({ key, names }: Entry, { tasks, problems }: TaskReading): string[] {
  return names.flatMap(({ name, at }) => {
    if (typeof name === 'string' && key === 'scorer') return resolveScorer(name, at, tasks, problems);
    if (typeof name === 'string') return resolveName(name, at, tasks, problems);
    problems.expected(at, key === 'scorer' ? 'a scorer' : 'a task or a family', name);
    return [];
  });
}

/** The task that scores the user's own data so. */
function resolveScorer(scorer: string, path: Path, tasks: Tasks, problems: Problems): string[] {
  const own = [...tasks].filter(([, { family }]) => family === OWN_FAMILY).map(([task]) => task);
  const known = own.map((task) => task.slice(OWN_FAMILY.length + 1));
  if (known.includes(scorer)) return [`${OWN_FAMILY}/${scorer}`];
  problems.add(path, `unknown scorer "${scorer}".${didYouMean(scorer, known)}  (one of ${known.join(', ')})`);
  return [];
}

/** The task of that name, or all tasks of the family of that name. */
function resolveName(name: string, path: Path, tasks: Tasks, problems: Problems): string[] {
  if (tasks.has(name)) return [name];
  const family = [...tasks].filter(([, task]) => task.family === name).map(([task]) => task);
  if (family.length === 0) {
    const known = [...tasks.keys(), ...[...tasks.values()].map((task) => task.family)];
    problems.add(path, `unknown task "${name}".${didYouMean(name, known)}  (spark-eval list tasks)`, 'key');
  }
  return family;
}
