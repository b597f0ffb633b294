/**
 * Adding up rows of attention.
 */

/** Sum over all rows of all blocks, `[n]`; each block is `[rows, n]`. */
export function columnSums(blocks: readonly Float32Array[], n: number): Float32Array {
  const sums = new Float64Array(n);
  for (const block of blocks) {
    for (let start = 0; start < block.length; start += n) {
      for (let i = 0; i < n; i++) sums[i]! += block[start + i]!;
    }
  }
  return Float32Array.from(sums);
}
