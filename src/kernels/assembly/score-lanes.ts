/**
 * Scores of four tokens with four query rows, a token in a vector and a row in its lane, on their way to rows of scores.
 *
 * One scratch area and one transposition serve both kinds of sparse rows.
 */
import { storeFirst } from './block';
import { SCORES, scratchBase } from './scratch';

/** Writes the scores of `count` tokens, lane r of each to row r. */
// @ts-ignore: decorator
@inline
export function storeScores(count: usize, rows: usize, out: usize, stride: usize): void {
  const scores = scratchBase();
  const first = v128.load(scores, SCORES);
  const second = v128.load(scores, SCORES + 16);
  const third = v128.load(scores, SCORES + 32);
  const fourth = v128.load(scores, SCORES + 48);
  const a = v128.shuffle<f32>(first, second, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(third, fourth, 0, 4, 1, 5);
  storeFirst(out, v128.shuffle<f32>(a, b, 0, 1, 4, 5), count);
  if (rows > 1) storeFirst(out + (stride << 2), v128.shuffle<f32>(a, b, 2, 3, 6, 7), count);
  if (rows > 2) {
    const c = v128.shuffle<f32>(first, second, 2, 6, 3, 7);
    const d = v128.shuffle<f32>(third, fourth, 2, 6, 3, 7);
    storeFirst(out + (stride << 3), v128.shuffle<f32>(c, d, 0, 1, 4, 5), count);
    if (rows > 3) storeFirst(out + 12 * stride, v128.shuffle<f32>(c, d, 2, 3, 6, 7), count);
  }
}
