/**
 * Samples that a run will need, made ahead of it: a context that is too short for its task, a file with too few rows, or
 * answers that cannot be scored, stop a run before its first prefill and not hours later.
 *
 * Of every group the first sample that is missing stands for all, and the last where samples are the rows of a file.
 */
import { UserError } from '../base/errors.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { countsOf, type TaskOpener } from '../experiment/task-opener.js';
import { scoreAnswer } from '../tasks/score-answer.js';
import type { Job } from './job.js';

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
  opener: TaskOpener,
): Promise<void> {
  const asked = new Map<number, { readonly first: number; readonly last: number }>();
  for (const { group, sample } of jobs) {
    asked.set(group, { first: asked.get(group)?.first ?? sample, last: sample });
  }
  for (const [index, { first, last }] of asked) {
    const group = spec.groups[index]!;
    const isRows = opener.tasks.get(group.task)!.ignores?.includes('seed') === true;
    const { tokenizer } = models.get(group.model)!;
    await placed(spec.file, async () => {
      const task = await opener.open(group, countsOf(tokenizer));
      for (const sample of isRows && last > first ? [first, last] : [first]) {
        for (const question of (await task.sample(sample)).questions) {
          scoreAnswer(task, '', question, { name: group.task, index: sample });
        }
      }
    });
  }
}

async function placed(place: string, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    throw error instanceof UserError && error.place === undefined ? error.at(place) : error;
  }
}
