/**
 * The dense codec: kept tokens as they are, `[n, D]` in the cache's format.
 */
import { EntryWriter } from '../kernels/entries.js';
import type { PackedBuffers } from './packed-buffers.js';
import type { HeadSource, PackedSide } from './segment.js';

export function encodeDense({ bits, tokens, width }: HeadSource, buffers: PackedBuffers): PackedSide {
  const count = tokens.length;
  if (count === 0) return [];
  const { memory, format } = buffers;
  const entries = buffers.allocEntries('value', count * width);
  const writer = new EntryWriter(memory, format, entries, count * width);
  for (let t = 0; t < count;) {
    const first = t++;
    while (t < count && tokens[t] === tokens[t - 1]! + 1) t++;
    writer.write(bits, tokens[first]! * width, (t - first) * width);
  }
  return [{ rows: { kind: 'dense', format, count, width, entries } }];
}
