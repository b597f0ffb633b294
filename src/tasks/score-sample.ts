/**
 * The score of one prediction, with a place where the data set's answers are at fault.
 *
 * Decides that place: scorers see answers, not where they stand. Knows nothing of how anything is scored.
 */
import { UserError } from '../base/errors.js';
import type { Sample, Task } from './types.js';

/**
 * A score in [0, 1].
 *
 * @param index of the sample, 0-based
 * @throws UserError (place = task and sample) where the answers are not such as the task's scorer reads
 */
export function scoreSample(task: Task, prediction: string, sample: Sample, index: number): number {
  try {
    return task.score(prediction, sample.answers, sample);
  } catch (error) {
    if (!(error instanceof UserError) || error.place !== undefined) throw error;
    const { message, hint, exitCode, cause } = error;
    throw new UserError(message, {
      place: `${task.name}, sample ${index}`,
      ...(hint === undefined ? {} : { hint }),
      exitCode,
      cause,
    });
  }
}
