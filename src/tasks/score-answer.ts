/**
 * The score of one answer, with a place where the data set's answers are at fault.
 *
 * Scorers see answers, not where they stand.
 */
import { UserError } from '../base/errors.js';
import type { OpenTask, Question } from './types.js';

/**
 * A score in [0, 1].
 *
 * @param name of the task
 * @param index of the sample, 0-based
 * @param place where the sample was read
 * @throws UserError (with that place, else task and sample) where the answers are not such as the task's scorer reads
 */
export function scoreAnswer(
  task: Pick<OpenTask, 'score'>,
  answer: string,
  question: Question,
  {
    name,
    index,
    place,
  }: { readonly name: string; readonly index: number; readonly place?: string | undefined },
): number {
  try {
    return task.score(answer, question);
  } catch (error) {
    if (!(error instanceof UserError) || error.place !== undefined) throw error;
    const { message, hint, exitCode, cause } = error;
    throw new UserError(message, {
      place: place ?? `${name}, sample ${index}`,
      ...(hint === undefined ? {} : { hint }),
      exitCode,
      cause,
    });
  }
}
