/**
 * What scores and sums of dense rows have in common.
 *
 * Decides how query rows are grouped, which changes no result.
 */

/**
 * How many of `rows` query rows share an unpacked row next: three rows with two tokens, or two with four, leave no sum
 * without a register.
 */
// @ts-ignore: decorator
@inline
export function together(rows: usize): usize {
  return rows == 4 ? 2 : min<usize>(rows, 3);
}
