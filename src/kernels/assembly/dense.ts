/**
 * Dense rows: `[n, D]` entries, one token after the other. Also the channels codec, with D its kept channels.
 *
 * Decides how such rows become a block. `wide` is true for float32 entries, false for bfloat16.
 * Alphabet: n tokens, R query rows, D row width.
 */
import { accumulateBlock, BLOCK, BLOCK_TOKENS, scoreBlock } from './block';
import { load1, load4, padded } from './entries';

/** Expands `count` rows into the block, zeros in the padding. */
// @ts-ignore: decorator
@inline
function expand<E>(entries: usize, count: usize, width: usize): void {
  const whole = width & ~3;
  let to = BLOCK;
  for (let b: usize = 0; b < count; b++) {
    let column: usize = 0;
    for (; column < whole; column += 4, entries += 4 * sizeof<E>(), to += 16) v128.store(to, load4<E>(entries));
    for (; column < width; column++, entries += sizeof<E>(), to += 4) store<f32>(to, load1<E>(entries));
    for (; column < padded(width); column++, to += 4) store<f32>(to, 0);
  }
}

/** `out[r, i] = queries[r] · row i`; queries `[R, padded(D)]`, zero in the padding; out `[R, stride]`. */
export function scoreDense(
  wide: bool,
  entries: usize,
  n: usize,
  width: usize,
  queries: usize,
  rows: usize,
  out: usize,
  stride: usize,
): void {
  for (let i: usize = 0; i < n; i += BLOCK_TOKENS) {
    const count = min(BLOCK_TOKENS, n - i);
    if (wide) expand<f32>(entries + i * width * sizeof<f32>(), count, width);
    else expand<u16>(entries + i * width * sizeof<u16>(), count, width);
    scoreBlock(count, width, queries, rows, out + (i << 2), stride);
  }
}

/** `out[r] += Σ_i weights[r, i] · row i` over the first `visible + ⌊r / group⌋` rows; out `[R, padded(D)]`. */
export function accumulateDense(
  wide: bool,
  entries: usize,
  n: usize,
  width: usize,
  weights: usize,
  rows: usize,
  stride: usize,
  visible: isize,
  group: usize,
  out: usize,
): void {
  for (let i: usize = 0; i < n; i += BLOCK_TOKENS) {
    const count = min(BLOCK_TOKENS, n - i);
    if (wide) expand<f32>(entries + i * width * sizeof<f32>(), count, width);
    else expand<u16>(entries + i * width * sizeof<u16>(), count, width);
    accumulateBlock(count, width, weights + (i << 2), rows, stride, visible - <isize>i, group, out);
  }
}
