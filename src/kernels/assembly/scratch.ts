/**
 * Scratch of one instance of the kernels: where it is, and what lies in it.
 *
 * Several threads run the same code on one memory, each an instance with scratch of its own. Offsets are constants, which
 * loads hold in their instruction.
 */

/** Where the scratch of the first instance begins; it ends below the memory base of asconfig.json. */
const FIRST: usize = 1024;

let scratch: usize = FIRST;

/** Moves this instance's scratch to `at`, a multiple of 16, where `scratchBytes()` are free. */
export function useScratch(at: usize): void {
  scratch = at;
}

/** Where it begins. */
// @ts-ignore: decorator
@inline
export function scratchBase(): usize {
  return scratch;
}

// Tables of sparse scores, see sparse-tables.ts.
// @ts-ignore: decorator
@inline
export const SUMS: usize = 0;
// @ts-ignore: decorator
@inline
export const QUERIES: usize = 32 * 4096;
// @ts-ignore: decorator
@inline
export const FOURS: usize = QUERIES + 256 * 16;
/** `[4, D ≤ 256]` float32, rows of queries, see sparse-expand.ts. */
// @ts-ignore: decorator
@inline
export const QUERY_ROWS: usize = FOURS + 2 * 16 * 16;
/** `[BLOCK_TOKENS = 8, D ≤ 256]` float32, and what reading it four numbers at a time may touch. */
// @ts-ignore: decorator
@inline
export const BLOCK: usize = QUERY_ROWS + 4 * 256 * 4;
/** The channel vector as float32 `[D ≤ 256]`. */
// @ts-ignore: decorator
@inline
export const CHANNEL: usize = BLOCK + 8 * 256 * 4 + 16;
/** The kept entries of one token, float32. */
// @ts-ignore: decorator
@inline
export const KEPT: usize = CHANNEL + 256 * 4;
/** Scores of four tokens, a vector each. */
// @ts-ignore: decorator
@inline
export const SCORES: usize = KEPT + (256 + 4) * 4;
/** One row as entries. */
// @ts-ignore: decorator
@inline
export const ROW: usize = SCORES + 4 * 16;
/** Four vectors that loops of `softmax.ts` need. */
// @ts-ignore: decorator
@inline
export const SPLATS: usize = ROW + 256 * 4;
/** Rows of weights as float32, and sums that go on with the next columns, see products.ts. */
// @ts-ignore: decorator
@inline
export const TILE: usize = SPLATS + 4 * 16;
/** Columns of a weight row that are widened at once. */
// @ts-ignore: decorator
@inline
export const TILE_COLUMNS: usize = 512;
/** Weight rows of a tile, and rows that are multiplied with them. */
// @ts-ignore: decorator
@inline
export const TILE_ROWS: usize = 12;
// @ts-ignore: decorator
@inline
export const MOST_ROWS: usize = 64;
// @ts-ignore: decorator
@inline
export const TILE_SUMS: usize = TILE + TILE_ROWS * TILE_COLUMNS * 4;
// @ts-ignore: decorator
@inline
const END: usize = TILE_SUMS + TILE_ROWS * MOST_ROWS * 16;

/** Where the scratch of the first instance ends. */
// @ts-ignore: decorator
@inline
export const FIRST_SCRATCH_END: usize = FIRST + END;

/** Bytes of the scratch. */
export function scratchBytes(): usize {
  return END;
}
