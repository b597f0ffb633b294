/**
 * First-fit allocation of address ranges, with neighbours joined again when they are given back.
 *
 * Pure arithmetic on addresses, so that it can be tested without a memory.
 */

export const ALIGNMENT = 16;

interface Range {
  start: number;
  end: number;
}

export class Allocator {
  /** Ascending, never touching one another. */
  private readonly gaps: Range[] = [];
  private readonly sizes = new Map<number, number>();
  private used = 0;

  /** @param start first address, a multiple of 16; no address is available before `extend`. */
  constructor(private end: number) {}

  /** Bytes handed out, each allocation rounded up to 16. */
  get bytesInUse(): number {
    return this.used;
  }

  /** Bytes by which `extend` must move the end before `alloc(bytes)` can succeed; 0 where it can now. */
  shortfall(bytes: number): number {
    const size = roundUp(bytes);
    if (this.gaps.some((gap) => gap.end - gap.start >= size)) return 0;
    const last = this.gaps.at(-1);
    return size - (last?.end === this.end ? last.end - last.start : 0);
  }

  /** Makes the addresses from the old end up to `end` available. */
  extend(end: number): void {
    const start = this.end;
    this.end = end;
    this.insert(start, end);
  }

  /** The lowest fitting address, a multiple of 16; undefined where none fits. `bytes` ≥ 0; 0 takes 16. */
  alloc(bytes: number): number | undefined {
    const size = roundUp(bytes);
    const index = this.gaps.findIndex((gap) => gap.end - gap.start >= size);
    if (index < 0) return undefined;
    const gap = this.gaps[index]!;
    const { start } = gap;
    gap.start += size;
    if (gap.start === gap.end) this.gaps.splice(index, 1);
    this.sizes.set(start, size);
    this.used += size;
    return start;
  }

  /** Gives back what `alloc` returned. Throws on any other address. */
  free(start: number): void {
    const size = this.sizes.get(start);
    if (size === undefined) throw new Error(`free of address ${start}, which is not allocated`);
    this.sizes.delete(start);
    this.used -= size;
    this.insert(start, start + size);
  }

  private insert(start: number, end: number): void {
    let low = 0;
    let high = this.gaps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.gaps[middle]!.start < start) low = middle + 1;
      else high = middle;
    }
    const before = this.gaps[low - 1];
    const after = this.gaps[low];
    const joinsBefore = before?.end === start;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.gaps.splice(low, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.gaps.splice(low, 0, { start, end });
  }
}

function roundUp(bytes: number): number {
  return Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
}
