/**
 * Quantised storage of dense and channel-pruned sides, prompt and decoded tokens (KIVI, arXiv 2402.02750; ThinK + KIVI,
 * arXiv 2407.21018).
 *
 * In blocks, a token loses its channels when it is quantised, as in ThinK + KIVI as released; sliding quantisation
 * leaves the channels as they are.
 */
import { bitsOf } from '../../kernels/entries.js';
import type { Kernels } from '../../kernels/index.js';
import { countKept } from '../bytes.js';
import { encodeMasks, type HeadMasks } from './channels.js';
import { PackedBuffers } from '../packed-buffers.js';
import { settledTokens } from './quantise.js';
import { narrow, QuantisedRun, type RunStorage } from '../rows/quantised-run.js';
import { QuantisedTail } from '../rows/quantised-tail.js';
import type { HeadSource } from '../rows/segment.js';
import type { Precision } from '../types.js';

/** One side of one KV head: its tokens of the prompt, and the channels that are kept of all but the newest. */
export interface QuantisedSource extends HeadSource {
  readonly masks?: HeadMasks | undefined;
  /** Newest tokens that hold all channels; without masks, of no account. */
  readonly recent: number;
}

/** One side, all KV heads. What holds tokens of the prompt is in `buffers`. */
export function encodeQuantised(
  heads: readonly QuantisedSource[],
  precision: Precision,
  buffers: PackedBuffers,
  kernels: Kernels,
): QuantisedTail {
  const decoded = new PackedBuffers(buffers.memory, buffers.format);
  const storage = { kernels, precision, prompt: buffers, decoded };
  return new QuantisedTail(
    heads.map((head) => encodeRuns(head, storage)),
    precision,
    decoded,
  );
}

function encodeRuns({ masks, recent, ...source }: QuantisedSource, storage: RunStorage): QuantisedRun[] {
  const { precision, prompt } = storage;
  const { tokens, width } = source;
  const settled = settledTokens(precision, tokens.length);
  if (masks === undefined) return [new QuantisedRun(storage, {}, source, settled)];
  const columns = encodeMasks(masks, width, prompt);
  if (precision.settle === 'blocks') {
    const form = { settled: columns, narrowing: masks.mask };
    return [new QuantisedRun(storage, form, source, settled)];
  }
  const older = Math.max(0, tokens.length - recent);
  const form = { waiting: columns, settled: columns };
  const pruned = prune({ ...source, tokens: tokens.subarray(0, older) }, masks.mask);
  const whole = { ...source, tokens: tokens.subarray(older) };
  return [
    new QuantisedRun(storage, form, pruned, Math.min(older, settled)),
    new QuantisedRun(storage, {}, whole, Math.max(0, settled - older)),
  ];
}

/** The same tokens with their kept channels only. */
export function prune({ bits, tokens, width }: HeadSource, mask: Uint8Array): HeadSource {
  const kept = countKept(mask);
  const rows = new Float32Array(tokens.length * kept);
  const numbers = new Float32Array(bits.buffer, bits.byteOffset, bits.length);
  tokens.forEach((position, t) => {
    rows.set(narrow(numbers.subarray(position * width, (position + 1) * width), mask), t * kept);
  });
  return { bits: bitsOf(rows), tokens: tokens.map((_, t) => t), width: kept };
}
