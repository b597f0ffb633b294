/**
 * The `tasks` list as tasks with parameters and sample counts.
 *
 * Decides the forms in which a task may be written, and that a family stands for all its tasks. Knows nothing of
 * what a task asks.
 */
import { z } from 'zod';
import { canonicalJson } from '../results/canonical-json.js';
import type { Path } from './document.js';
import { expandParams, type Params } from './params.js';
import type { Problems } from './problems.js';
import { didYouMean } from '../did-you-mean.js';
import type { SpecCatalogue } from './types.js';

type Tasks = SpecCatalogue['tasks'];

export interface TaskChoice {
  readonly task: string;
  readonly params: Params;
  readonly samples: number;
}

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
  for (const [index, item] of items.entries()) {
    for (const choice of readTask(item, ['tasks', index], defaultSamples, tasks, problems)) {
      const identity = canonicalJson([choice.task, choice.params]);
      const known = choices.get(identity);
      choices.set(identity, {
        ...choice,
        samples: Math.max(choice.samples, known?.samples ?? 0),
      });
    }
  }
  return [...choices.values()];
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
    problems.expected(path, 'a task or {task: …, parameters}', item);
    return [];
  }
  const { task: written, samples: ownSamples, ...params } = item as Record<string, unknown>;
  const count = samplesSchema.safeParse({ samples: ownSamples });
  if (!count.success) {
    problems.addIssues(count.error.issues, samplesSchema, { samples: ownSamples }, () => [
      ...path,
      'samples',
    ]);
  }
  const named: { name: unknown; at: Path }[] = Array.isArray(written)
    ? written.map((name: unknown, index) => ({ name, at: [...path, 'task', index] }))
    : [{ name: written, at: [...path, 'task'] }];
  const names = named.flatMap(({ name, at }) => {
    if (typeof name === 'string') return resolveName(name, at, tasks, problems);
    problems.expected(at, 'a task or a family', name);
    return [];
  });
  const samples = count.data?.samples ?? defaultSamples;
  return names.flatMap((task) =>
    expandParams(params, tasks.get(task)!.params, path, problems, ['task', 'samples']).map((set) => ({
      task,
      params: set,
      samples,
    })),
  );
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
