/**
 * One layer's cache of one row: the packed prompt and the dense tail.
 *
 * Decides which codec packs what a plan says, and that a failed encoding leaves nothing behind.
 * Alphabet: S prompt tokens, n kept tokens of a KV head, T new tokens, H, KV, D.
 */
import { UserError } from '../errors.js';
import { bitsOf } from '../kernels/entries.js';
import { MAX_WIDTH, type Kernels } from '../kernels/index.js';
import { attendLayer } from './attention.js';
import { decodeSide } from './decode.js';
import { encodeChannels } from './encode-channels.js';
import { encodeDense } from './encode-dense.js';
import { encodeSparse } from './encode-sparse.js';
import { PackedBuffers } from './packed-buffers.js';
import { checkPlan } from './plan.js';
import type { HeadSource, PackedSide } from './segment.js';
import { Tail } from './tail.js';
import type {
  ByteParts,
  CacheDtype,
  LayerCache,
  LayerPlan,
  LayerShape,
  LayerTrace,
  SidePlan,
} from './types.js';

/**
 * Packs one layer as its plan says.
 *
 * Throws UserError where the cache memory is used up or D is no multiple of 8 up to 256, and Error where
 * the plan does not fit the trace. Then nothing stays allocated.
 */
export function encodeLayer(
  trace: LayerTrace,
  plan: LayerPlan,
  dtype: CacheDtype,
  kernels: Kernels,
): LayerCache {
  if (trace.headDim % 8 !== 0 || trace.headDim < 8 || trace.headDim > MAX_WIDTH) {
    throw new UserError(
      `head width ${trace.headDim} is not supported: expected a multiple of 8 up to ${MAX_WIDTH}`,
    );
  }
  checkPlan(trace, plan);
  const buffers = new PackedBuffers(kernels.memory, dtype);
  try {
    const heads = plan.tokens.map((tokens, head) => ({
      kept: tokens.length,
      keys: encodeHead(headSource(trace, trace.keys, tokens, head), plan.keys, head, buffers),
      values: encodeHead(headSource(trace, trace.values, tokens, head), plan.values, head, buffers),
    }));
    return new PackedLayerCache(trace, heads, buffers, kernels);
  } catch (error) {
    buffers.free();
    throw error;
  }
}

/** `side` is `[KV, S, D]`. */
function headSource(trace: LayerTrace, side: Float32Array, tokens: Int32Array, head: number): HeadSource {
  const size = trace.length * trace.headDim;
  return { bits: bitsOf(side.subarray(head * size, (head + 1) * size)), tokens, width: trace.headDim };
}

function encodeHead(source: HeadSource, plan: SidePlan, head: number, buffers: PackedBuffers): PackedSide {
  switch (plan.codec) {
    case 'dense':
      return encodeDense(source, buffers);
    case 'channels':
      return encodeChannels(source, plan.masks[head]!, plan.recent, buffers);
    case 'sparse':
      return encodeSparse(source, plan.heads[head]!, buffers);
  }
}

/** The prompt of one KV head. */
interface PackedHead {
  /** n */
  readonly kept: number;
  readonly keys: PackedSide;
  readonly values: PackedSide;
}

class PackedLayerCache implements LayerCache {
  readonly kept: readonly number[];
  private readonly tail: Tail;
  private freed = false;

  constructor(
    private readonly shape: LayerShape,
    private readonly heads: readonly PackedHead[],
    private readonly buffers: PackedBuffers,
    private readonly kernels: Kernels,
  ) {
    this.kept = heads.map(({ kept }) => kept);
    this.tail = new Tail(kernels.memory, buffers.format, shape.kvHeads, shape.headDim);
  }

  append(keys: Float32Array, values: Float32Array, tokens: number): void {
    this.expectAlive();
    const size = tokens * this.shape.kvHeads * this.shape.headDim;
    expectSize(keys, size, 'keys');
    expectSize(values, size, 'values');
    this.tail.append(keys, values, tokens);
  }

  attend(queries: Float32Array, tokens: number, out: Float32Array): void {
    this.expectAlive();
    if (tokens < 1 || tokens > this.tail.length) {
      throw new Error(`expected 1 to ${this.tail.length} appended tokens to attend, got ${tokens}`);
    }
    const size = tokens * this.shape.heads * this.shape.headDim;
    expectSize(queries, size, 'queries');
    expectSize(out, size, 'out');
    const heads = this.withTail().map((head, h) => ({ ...head, length: this.kept[h]! + this.tail.length }));
    attendLayer(this.kernels, heads, this.shape.headDim, queries, tokens, out);
  }

  bytes(): ByteParts {
    return this.buffers.bytes();
  }

  tailBytes(): number {
    return this.tail.bytes();
  }

  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] } {
    this.expectAlive();
    const read = (side: PackedSide): Float32Array =>
      decodeSide(this.kernels.memory, side, this.shape.headDim);
    const heads = this.withTail();
    return { keys: heads.map(({ keys }) => read(keys)), values: heads.map(({ values }) => read(values)) };
  }

  free(): void {
    this.freed = true;
    this.buffers.free();
    this.tail.free();
  }

  private withTail(): { readonly keys: PackedSide; readonly values: PackedSide }[] {
    return this.heads.map(({ keys, values }, head) => ({
      keys: [...keys, ...this.tail.side('keys', head)],
      values: [...values, ...this.tail.side('values', head)],
    }));
  }

  private expectAlive(): void {
    if (this.freed) throw new Error(`the cache of layer ${this.shape.layer} was used after it was freed`);
  }
}

function expectSize(list: Float32Array, expected: number, what: string): void {
  if (list.length !== expected) throw new Error(`${what}: expected ${expected} numbers, got ${list.length}`);
}
