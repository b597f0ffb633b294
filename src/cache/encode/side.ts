/**
 * One side of a layer, packed as its plan says.
 *
 * The one place where a plan's codec becomes an encoder and a tail.
 * Alphabet: S prompt tokens, n kept tokens of a KV head, KV, D.
 */
import { bitsOf, type Entries } from '../../kernels/entries.js';
import type { Kernels } from '../../kernels/index.js';
import { entriesOf } from '../../kernels/rounding.js';
import { encodeChannels, type HeadMasks } from './channels.js';
import { encodeDense } from './dense.js';
import { encodeLatent } from './latent.js';
import { encodePruned } from './pruned.js';
import { encodeQuantisedSparse } from './quantised-sparse.js';
import { encodeQuantised, type QuantisedSource } from './quantised.js';
import { encodeSparse } from './sparse.js';
import type { PackedBuffers } from '../packed-buffers.js';
import type { HeadSource, PackedSide } from '../rows/segment.js';
import { Tail, type SideTail } from '../rows/tail.js';
import type { CacheDtype, LayerPlan, LayerShape, LayerTrace, SidePlan } from '../types.js';

/** Per KV head, and the tokens after the prompt; the tail also holds the prompt where both are quantised together. */
export interface CachedSide {
  readonly prompt: readonly PackedSide[];
  readonly tail: SideTail;
}

/** One side of every KV head. */
export function encodeSide(
  trace: LayerTrace,
  name: 'keys' | 'values',
  plan: LayerPlan,
  buffers: PackedBuffers,
  kernels: Kernels,
): CachedSide {
  const side = plan[name];
  const { precision } = side;
  if (side.codec === 'channels' && side.everyToken === true) {
    const sources = plan.tokens.map((tokens, head) => ({
      ...headSource(trace, name, tokens, head, buffers.format),
      masks: headMasks(trace, side, head),
    }));
    return encodePruned(sources, precision, buffers, kernels);
  }
  if (precision !== undefined && (side.codec === 'dense' || side.codec === 'channels')) {
    const sources = plan.tokens.map((tokens, head) =>
      quantisedSource(trace, name, side, tokens, head, buffers.format),
    );
    return { prompt: sources.map(() => []), tail: encodeQuantised(sources, precision, buffers, kernels) };
  }
  const tail = new Tail(buffers.memory, buffers.format, trace.kvHeads, trace.headDim);
  if (side.codec === 'latent') {
    return { prompt: encodeLatent(trace, name, plan.tokens, precision, buffers, kernels), tail };
  }
  const prompt = plan.tokens.map((tokens, head) =>
    encodeHead(trace, name, side, tokens, head, buffers, kernels),
  );
  return { prompt, tail };
}

function encodeHead(
  trace: LayerTrace,
  name: 'keys' | 'values',
  side: Exclude<SidePlan, { codec: 'latent' }>,
  tokens: Int32Array,
  head: number,
  buffers: PackedBuffers,
  kernels: Kernels,
): PackedSide {
  const source = headSource(trace, name, tokens, head, buffers.format);
  switch (side.codec) {
    case 'dense':
      return encodeDense(contentsOf(source, side, head), buffers);
    case 'channels':
      return encodeChannels(source, headMasks(trace, side, head), side.recent, buffers);
    case 'sparse':
      return side.precision === undefined
        ? encodeSparse(source, side.heads[head]!, buffers)
        : encodeQuantisedSparse(source, side.heads[head]!, side.precision, buffers, kernels);
  }
}

function quantisedSource(
  trace: LayerTrace,
  name: 'keys' | 'values',
  side: SidePlan & { readonly codec: 'dense' | 'channels' },
  tokens: Int32Array,
  head: number,
  format: CacheDtype,
): QuantisedSource {
  const source = headSource(trace, name, tokens, head, format);
  if (side.codec === 'dense') return { ...contentsOf(source, side, head), recent: 0 };
  return { ...source, masks: headMasks(trace, side, head), recent: side.recent };
}

function headMasks(
  { heads, kvHeads }: LayerShape,
  { masks, queryMasks }: SidePlan & { readonly codec: 'channels' },
  head: number,
): HeadMasks {
  const group = heads / kvHeads;
  return { mask: masks[head]!, queryMasks: queryMasks?.slice(head * group, (head + 1) * group) };
}

function headSource(
  trace: LayerTrace,
  name: 'keys' | 'values',
  tokens: Int32Array,
  head: number,
  format: CacheDtype,
): HeadSource {
  const from = head * trace.length * trace.headDim;
  const end = from + trace.length * trace.headDim;
  return {
    bits: bitsOf(trace[name]).subarray(from, end),
    entries: () => storedSide(trace, name, format).subarray(from, end),
    tokens,
    width: trace.headDim,
  };
}

/** All entries of a side in the cache's format, rounded once for all pipelines; the side must not change afterwards. */
function storedSide(trace: LayerTrace, name: 'keys' | 'values', format: CacheDtype): Entries {
  if (format === 'float32') return bitsOf(trace[name]);
  return trace.once(`${name} in ${format}`, () => entriesOf(bitsOf(trace[name]), format));
}

/** What stands in place of the kept tokens' entries, if anything does. */
function contentsOf(
  source: HeadSource,
  { contents }: SidePlan & { readonly codec: 'dense' },
  head: number,
): HeadSource {
  if (contents === undefined) return source;
  const { tokens, width } = source;
  return { bits: bitsOf(contents[head]!), tokens: tokens.map((_, t) => t), width };
}
