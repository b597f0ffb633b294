/**
 * Sums over the kept entries of sparse rows, eight channels at a time: what is kept of them is moved to its places, with
 * zeros between, and multiplied like a dense row.
 *
 * Its work does not depend on how much is kept, nor do its branches: above some share it is less than that of a walk
 * from one mask bit to the next. Order of summation: by lane (channel mod 4) ascending, then the lanes as (0+2)+(1+3).
 * bfloat16 entries only. Alphabet: D row width, a multiple of 8.
 */
import { sumLanes } from './block';
import { first, second } from './eights';
import { multiplyAdd } from './fused';
import { FIRST_SCRATCH_END, QUERY_ROWS as ROWS, scratchBase } from './scratch';

// Behind the first scratch and below the memory base of asconfig.json: a known address, which loads then hold as their offset.
/** By 8 mask bits: byte shuffle that moves consecutive halves to the set bits' places, zero elsewhere. */
// @ts-ignore: decorator
@inline
const PLACES: usize = FIRST_SCRATCH_END;

for (let mask: u32 = 0; mask < 256; mask++) {
  let next: u32 = 0;
  for (let half: u32 = 0; half < 8; half++) {
    const set = ((mask >> half) & 1) != 0;
    store<u16>(PLACES + mask * 16 + half * 2, set ? 0x0100 + next * 0x0202 : 0xffff);
    if (set) next++;
  }
}

/** Takes up to four query rows `[rows, D]`; those that are missing are not to be read. */
export function takeRows(queries: usize, rows: usize, width: usize): void {
  for (let r: usize = 0; r < rows; r++) memory.copy(scratchBase() + ROWS + (r << 10), queries + ((r * width) << 2), width << 2);
}

/** The eight halves of which `mask` keeps some, those at `entries`. */
// @ts-ignore: decorator
@inline
function spread(entries: usize, mask: u32): v128 {
  const places = v128.load(<usize>mask << 4, PLACES);
  const halves = v128.load(entries);
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(halves, places) : v128.swizzle(halves, places);
}

/** Kept entries of a token; D a multiple of 64. */
// @ts-ignore: decorator
@inline
export function countKept(masks: usize, width: usize): usize {
  let count: u64 = 0;
  for (let j: usize = 0; j < width; j += 64) count += popcnt(load<u64>(masks + (j >> 3)));
  return <usize>count;
}

/** How many of the rows taken are wanted, as types, so that each number has a function of its own. */
export type Two = u8;
export type Three = u16;
export type Four = u32;

/** Σ of a token's kept entries times the rows taken, one row a lane. */
export function sumExpanded<Rows>(entries: usize, masks: usize, width: usize): v128 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  let query = scratchBase();
  for (const end = query + (width << 2); query < end; query += 32, masks++) {
    const mask = <u32>load<u8>(masks);
    const halves = spread(entries, mask);
    entries += popcnt(mask) << 1;
    const low = first<u16>(halves);
    const high = second<u16>(halves, 0);
    a = multiplyAdd(a, v128.load(query, ROWS), low);
    b = multiplyAdd(b, v128.load(query, ROWS + 1024), low);
    if (sizeof<Rows>() > sizeof<Two>()) c = multiplyAdd(c, v128.load(query, ROWS + 2048), low);
    if (sizeof<Rows>() > sizeof<Three>()) d = multiplyAdd(d, v128.load(query, ROWS + 3072), low);
    a = multiplyAdd(a, v128.load(query, ROWS + 16), high);
    b = multiplyAdd(b, v128.load(query, ROWS + 1024 + 16), high);
    if (sizeof<Rows>() > sizeof<Two>()) c = multiplyAdd(c, v128.load(query, ROWS + 2048 + 16), high);
    if (sizeof<Rows>() > sizeof<Three>()) d = multiplyAdd(d, v128.load(query, ROWS + 3072 + 16), high);
  }
  return sumLanes(a, b, c, d);
}
