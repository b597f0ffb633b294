/**
 * Samples that a run will need, made ahead of it: a context that is too short for its task, a file with too few rows, or
 * answers that cannot be scored, stop a run before its first prefill and not hours later.
 *
 * Decides which samples stand for all: of every group the first that is missing, and the last where samples are the rows
 * of a file. Knows nothing of prompts.
 */
import { UserError } from '../base/errors.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { tasks as knownTasks } from '../tasks/registry.js';
import { scoreSample } from '../tasks/score-sample.js';
import type { Task } from '../tasks/types.js';
import type { Job } from './job.js';
import { makeSample } from './make-sample.js';

/**
 * Makes samples of what is to run.
 *
 * @param jobs in the order of their samples
 * @param models by the name that the spec gives them
 * @throws UserError of the task that cannot give such a sample, with the spec's file where it has no place of its own
 */
export async function checkSamples(
  spec: Pick<ResolvedSpec, 'file' | 'groups'>,
  jobs: readonly Pick<Job, 'group' | 'sample'>[],
  models: ReadonlyMap<string, Pick<ModelFiles, 'tokenizer'>>,
  tasks: ReadonlyMap<string, Task> = knownTasks,
): Promise<void> {
  const asked = new Map<number, { readonly first: number; readonly last: number }>();
  for (const { group, sample } of jobs) {
    asked.set(group, { first: asked.get(group)?.first ?? sample, last: sample });
  }
  for (const [index, { first, last }] of asked) {
    const { model, task: name, taskParams: params, context: contextLength, seed } = spec.groups[index]!;
    const task = tasks.get(name)!;
    await task.prepare?.(params, contextLength);
    const isRows = task.ignores?.includes('seed') === true;
    for (const sample of isRows && last > first ? [first, last] : [first]) {
      const request = { contextLength, seed, index: sample, params };
      const made = placed(spec.file, () => makeSample(task, request, models.get(model)!));
      scoreSample(task, '', made, sample);
    }
  }
}

function placed<T>(place: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof UserError && error.place === undefined ? error.at(place) : error;
  }
}
