/**
 * What sparse rows store of the numbers that they are made of, a block of rows at a time.
 *
 * The compiled code reads blocks; this is where each block lies.
 * Alphabet: n rows, D row width, a multiple of 8, at most `MAX_WIDTH`.
 */
import { entryBytes, type Entries, type EntryFormat } from './entries.js';
import { MAX_WIDTH } from './index.js';
import { openOwnMemory, type OwnMemory } from './own-memory.js';

/** Rows of a block. */
const ROWS = 128;
const BLOCK = ROWS * MAX_WIDTH;

/** Some rows of a larger `[S, D]`. */
export interface PickedRows {
  /** `[S, D]` float32, as bits. */
  readonly bits: Uint32Array;
  /** `[n]` */
  readonly tokens: Int32Array;
  /** D */
  readonly width: number;
}

/** What a pruned entry becomes: `sign(entry) · scale_t · channel_j`. */
export interface SignedRecovery {
  /** `[n]` */
  readonly scales: Float32Array;
  /** `[D]` */
  readonly channel: Float32Array;
}

/** Where a block's parts begin, bytes. */
interface Places {
  readonly rows: number;
  readonly masks: number;
  readonly scales: number;
  readonly channel: number;
  readonly out: number;
}

let opened: (OwnMemory & { readonly at: Places }) | undefined;

function open(): OwnMemory & { readonly at: Places } {
  // the entries: one more than there can be is written
  const own = openOwnMemory(4 * BLOCK + BLOCK + 4 * ROWS + 4 * MAX_WIDTH + 4 * (BLOCK + 1));
  const masks = own.base + 4 * BLOCK;
  const scales = masks + BLOCK;
  const channel = scales + 4 * ROWS;
  return { ...own, at: { rows: own.base, masks, scales, channel, out: channel + 4 * MAX_WIDTH } };
}

/** One bit per entry of the rows, eight to a byte of `out`, the first the lowest: 1 where it is above 0. */
export function packSigns(rows: PickedRows, out: Uint8Array): void {
  const { code, buffer, at } = (opened ??= open());
  forEachBlock(rows, (first, count) => {
    const bytes = (count * rows.width) / 8;
    code.packSigns(at.rows, bytes, at.out);
    out.set(new Uint8Array(buffer, at.out, bytes), (first * rows.width) / 8);
  });
}

/**
 * The entries that `mask` keeps, row after row, columns in ascending order; with a recovery, their differences from it.
 *
 * @param mask `[n, D]`, 1 = kept
 * @param out as long as there are ones
 */
export function packKept(
  rows: PickedRows,
  mask: Uint8Array,
  recovery: SignedRecovery | undefined,
  format: EntryFormat,
  out: Entries,
): void {
  const { code, buffer, at } = (opened ??= open());
  const { width } = rows;
  if (recovery !== undefined) new Float32Array(buffer, at.channel, width).set(recovery.channel);
  const masks = new Uint8Array(buffer, at.masks, BLOCK);
  const scales = new Float32Array(buffer, at.scales, ROWS);
  const wide = entryBytes(format) === 4;
  const channel = recovery === undefined ? 0 : at.channel;
  let next = 0;
  forEachBlock(rows, (first, count) => {
    masks.set(mask.subarray(first * width, (first + count) * width));
    if (recovery !== undefined) scales.set(recovery.scales.subarray(first, first + count));
    const kept = code.packKept(Number(wide), at.rows, at.masks, count, width, at.scales, channel, at.out);
    out.set(wide ? new Uint32Array(buffer, at.out, kept) : new Uint16Array(buffer, at.out, kept), next);
    next += kept;
  });
}

/** Copies the rows block by block to where the kernels read them; `visit` is told the first row and their number. */
function forEachBlock(
  { bits, tokens, width }: PickedRows,
  visit: (first: number, count: number) => void,
): void {
  const { buffer, at } = opened!;
  const block = new Uint32Array(buffer, at.rows, BLOCK);
  for (let first = 0; first < tokens.length; first += ROWS) {
    const end = Math.min(tokens.length, first + ROWS);
    for (let t = first; t < end;) {
      const start = t++;
      while (t < end && tokens[t] === tokens[t - 1]! + 1) t++;
      const from = tokens[start]! * width;
      block.set(bits.subarray(from, from + (t - start) * width), (start - first) * width);
    }
    visit(first, end - first);
  }
}
