/**
 * The score of a repeated list: how much of it came back, in its order.
 *
 * Only numbers count, and what is left out, wrong, or out of order costs one line each: the longest
 * common subsequence of the numbers of the prediction and those of the list.
 */

/** In [0, 1]. `answers`, the numbers of the list in its order, must not be empty. */
export function fractionRecited(prediction: string, answers: readonly string[]): number {
  if (answers.length === 0) throw new RangeError('a list has at least one line');
  const numbers = prediction.match(/\d+/gu) ?? [];
  return commonSubsequence(numbers, answers) / answers.length;
}

/** Length of the longest common subsequence. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let best = new Array<number>(b.length + 1).fill(0); // best[j]: of what was read of a, and the first j of b
  for (const x of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++) {
      next.push(x === b[j] ? best[j]! + 1 : Math.max(best[j + 1]!, next[j]!));
    }
    best = next;
  }
  return best[b.length]!;
}
