/**
 * The letter that a prediction chooses, as LongBench v2 (arXiv 2412.15204, `extract_answer` of pred.py) finds it.
 *
 * Only "The correct answer is (B)" and "The correct answer is B" choose, asterisks aside, the first with
 * brackets before the first without; all else is wrong, not guessed. The harness of the SparK paper wants one of the
 * two to be the whole prediction instead.
 */

/** `A` to `D`; undefined where none is chosen. */
export function chosenLetter(prediction: string): string | undefined {
  const text = prediction.replaceAll('*', '');
  const match = /The correct answer is \(([A-D])\)/.exec(text) ?? /The correct answer is ([A-D])/.exec(text);
  return match?.[1];
}

/** 1 where the first answer, a letter, is chosen, else 0. */
export function rightLetter(prediction: string, answers: readonly string[]): number {
  return chosenLetter(prediction) === answers[0] ? 1 : 0;
}
