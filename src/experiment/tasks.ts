/**
 * The `tasks` list as tasks with parameters and sample counts.
 *
 * A family stands for all its tasks; a task that is named twice is one, whichever way its files are spelled.
 */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../base/canonical-json.js';
import type { Path } from './document.js';
import { expandParams, MAX_COMBINATIONS, type Params } from './params.js';
import type { Problems } from './problems.js';
import { didYouMean } from '../base/did-you-mean.js';
import type { SpecCatalogue } from './types.js';

type Tasks = SpecCatalogue['tasks'];

export interface TaskChoice {
  readonly task: string;
  readonly params: Params;
  readonly samples: number;
}

/** The family of the tasks on files of the user's own, one for each scorer. */
export const OWN_FAMILY = 'own';

const samplesSchema = z.strictObject({ samples: z.int().min(1).max(1_000_000).optional() });

/**
 * Every task of the list. A task that is named twice with equal parameters is kept once, with the greater number
 * of samples.
 */
export function readTasks(
  items: readonly unknown[],
  defaultSamples: number,
  tasks: Tasks,
  problems: Problems,
): TaskChoice[] {
  const choices = new Map<string, TaskChoice>();
  let made = 0;
  for (const [index, item] of items.entries()) {
    const expanded = readTask(item, ['tasks', index], defaultSamples, tasks, problems);
    made += expanded.length;
    if (made > MAX_COMBINATIONS) {
      problems.add(['tasks'], `tasks: expands to more than ${MAX_COMBINATIONS} tasks`);
      break;
    }
    for (const choice of expanded) {
      const identity = canonicalJson([choice.task, withPaths(choice.params)]);
      const known = choices.get(identity);
      choices.set(identity, {
        ...(known ?? choice),
        samples: Math.max(choice.samples, known?.samples ?? 0),
      });
    }
  }
  return [...choices.values()];
}

/** Parameters that are paths, in every task that has them. */
const PATHS: readonly string[] = ['file', 'folder', 'essay'];

/** Parameters with what their paths lead to: `a.jsonl` and `./a.jsonl` are one file. */
function withPaths(params: Params): Params {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      PATHS.includes(name) && typeof value === 'string' ? placeOf(value) : value,
    ]),
  );
}

function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function readTask(
  item: unknown,
  path: Path,
  defaultSamples: number,
  tasks: Tasks,
  problems: Problems,
): TaskChoice[] {
  if (typeof item === 'string') {
    return resolveName(item, path, tasks, problems).flatMap((task) =>
      expandParams({}, tasks.get(task)!.params, path, problems).map((params) => ({
        task,
        params,
        samples: defaultSamples,
      })),
    );
  }
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    problems.expected(path, 'a task, {task: …, parameters} or {file: …, scorer: …}', item);
    return [];
  }
  const { key, names: named, samples: ownSamples, params } = readNames(item as Record<string, unknown>, path);
  const count = samplesSchema.safeParse({ samples: ownSamples });
  if (!count.success) {
    problems.addIssues(count.error.issues, samplesSchema, { samples: ownSamples }, () => [
      ...path,
      'samples',
    ]);
  }
  const names = named.flatMap(({ name, at }) => {
    if (typeof name === 'string' && key === 'scorer') return resolveScorer(name, at, tasks, problems);
    if (typeof name === 'string') return resolveName(name, at, tasks, problems);
    problems.expected(at, key === 'scorer' ? 'a scorer' : 'a task or a family', name);
    return [];
  });
  const samples = count.data?.samples ?? defaultSamples;
  return names.flatMap((task) =>
    expandParams(params, tasks.get(task)!.params, path, problems, [key, 'samples']).map((set) => ({
      task,
      params: set,
      samples,
    })),
  );
}

interface Entry {
  /** Where the names stand. */
  readonly key: 'task' | 'scorer';
  readonly names: readonly { readonly name: unknown; readonly at: Path }[];
  readonly samples: unknown;
  readonly params: Params;
}

/** The names of a mapping and what else it has: `task`, or `scorer` where it names a file of the user's own. */
function readNames(item: Readonly<Record<string, unknown>>, path: Path): Entry {
  const key = item['task'] === undefined && item['file'] !== undefined ? 'scorer' : 'task';
  const { [key]: written, samples, ...params } = item;
  const names = Array.isArray(written)
    ? written.map((name: unknown, index) => ({ name, at: [...path, key, index] }))
    : [{ name: written, at: [...path, key] }];
  return { key, names, samples, params };
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
    problems.add(path, `unknown task "${name}".${didYouMean(name, known)}  (spark-eval list tasks)`);
  }
  return family;
}
