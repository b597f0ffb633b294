/**
 * What a scorer is: a pure function from a prediction and what was expected to a number in [0, 1].
 *
 * A prediction is worth its best answer.
 */

/** What a scorer may know of the sample beside the answer. */
export interface ScoreContext {
  /** Every class name of the data set; only the score of a classification needs it. */
  readonly classes?: readonly string[] | undefined;
}

/** Score of a prediction against one answer. */
export type Scorer = (prediction: string, answer: string, context: ScoreContext) => number;

/** Score of a prediction against all answers together; `answers` must not be empty. */
export type AnswersScorer = (prediction: string, answers: readonly string[]) => number;

/** The best score over the answers, in [0, 1]; 0 where there is none. */
export function bestScore(
  scorer: Scorer,
  prediction: string,
  answers: readonly string[],
  context: ScoreContext = {},
): number {
  return answers.reduce((best, answer) => Math.max(best, scorer(prediction, answer, context)), 0);
}
