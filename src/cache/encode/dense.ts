/**
 * The dense codec: kept tokens as they are, `[n, D]` in the cache's format.
 */
import { entriesAt } from '../../kernels/entries.js';
import { entriesOf } from '../../kernels/rounding.js';
import type { PackedBuffers } from '../packed-buffers.js';
import type { HeadSource, PackedSide } from '../rows/segment.js';

export function encodeDense(
  { bits, entries, tokens, width }: HeadSource,
  buffers: PackedBuffers,
): PackedSide {
  const count = tokens.length;
  if (count === 0) return [];
  const { memory, format } = buffers;
  const from = entries?.() ?? entriesOf(bits, format);
  const pointer = buffers.allocEntries('value', count * width);
  const to = entriesAt(memory, format, pointer, count * width);
  for (let t = 0; t < count;) {
    const first = t++;
    while (t < count && tokens[t] === tokens[t - 1]! + 1) t++;
    const start = tokens[first]! * width;
    to.set(from.subarray(start, start + (t - first) * width), first * width);
  }
  return [{ rows: { kind: 'dense', format, count, width, entries: pointer } }];
}
