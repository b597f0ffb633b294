/**
 * How alike two sequences are: `ratio` of Python's `difflib.SequenceMatcher` (Ratcliff and Obershelp), without junk.
 *
 * The blocks are the longest matching one, earliest in a, then earliest in b, and so on to its left and right.
 * As in Python, where b has 200 elements or more those that make up over 1 % of it start no block ("autojunk"), so
 * that the ratio is not symmetric, and two long lines that differ in their first character can have ratio 0.
 */

const AUTOJUNK_LENGTH = 200;

interface Block {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

interface Range {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

/** 2 · matches / (elements of both), in [0, 1]; 1 for two empty sequences. */
export function similarityRatio(a: readonly string[], b: readonly string[]): number {
  const total = a.length + b.length;
  return total === 0 ? 1 : (2 * matches(a, b)) / total;
}

function matches(a: readonly string[], b: readonly string[]): number {
  const places = placesOf(b);
  const ranges: Range[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length }];
  let sum = 0;
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    const block = longestBlock(a, b, places, range);
    if (block.size === 0) continue;
    sum += block.size;
    ranges.push({ ...range, aTo: block.a, bTo: block.b });
    ranges.push({ ...range, aFrom: block.a + block.size, bFrom: block.b + block.size });
  }
  return sum;
}

/** Where each element of b stands, ascending; without those that are too frequent to start a block. */
function placesOf(b: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  b.forEach((element, j) => {
    const known = places.get(element);
    if (known === undefined) places.set(element, [j]);
    else known.push(j);
  });
  if (b.length >= AUTOJUNK_LENGTH) {
    const most = Math.floor(b.length / 100) + 1;
    for (const [element, where] of places) if (where.length > most) places.delete(element);
  }
  return places;
}

function longestBlock(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  { aFrom, aTo, bFrom, bTo }: Range,
): Block {
  let best: Block = { a: aFrom, b: bFrom, size: 0 };
  let runs = new Map<number, number>(); // j: length of the run that ends at a[i - 1] and b[j]
  for (let i = aFrom; i < aTo; i++) {
    const next = new Map<number, number>();
    for (const j of places.get(a[i]!) ?? []) {
      if (j < bFrom) continue;
      if (j >= bTo) break;
      const size = (runs.get(j - 1) ?? 0) + 1;
      next.set(j, size);
      if (size > best.size) best = { a: i - size + 1, b: j - size + 1, size };
    }
    runs = next;
  }
  // Elements that start no block may still lengthen one.
  let start = 0;
  while (best.a - start > aFrom && best.b - start > bFrom && a[best.a - start - 1] === b[best.b - start - 1])
    start++;
  let end = best.size;
  while (best.a + end < aTo && best.b + end < bTo && a[best.a + end] === b[best.b + end]) end++;
  return { a: best.a - start, b: best.b - start, size: start + end };
}
