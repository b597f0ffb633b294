/**
 * One layer's cache of one row: the packed prompt and the tail.
 *
 * The same class serves all codecs; a failed encoding leaves nothing allocated.
 * Alphabet: n kept tokens of a KV head, T new tokens, H, KV, D.
 */
import { UserError } from '../base/errors.js';
import { MAX_WIDTH, type KernelMemory, type Kernels } from '../kernels/index.js';
import { attendLayer, type HeadCache } from './attention.js';
import { attendNow, type AttentionPlace, type AttentionWork } from './attention-work.js';
import { addBytes, sumBytes } from './bytes.js';
import { decodeSide } from './decode.js';
import type { CachedSide } from './encode/side.js';
import { encodeLive } from './live-cache.js';
import { PackedSides, type StoredSide } from './packed-sides.js';
import { checkPlan, isPlain } from './plan.js';
import type { PackedSide } from './rows/segment.js';
import type { SideTail } from './rows/tail.js';
import { encodeSliding, firstInWindow } from './sliding-cache.js';
import { withinWindow } from './window-plan.js';
import type { ByteParts, CacheDtype, LayerCache, LayerPlan, LayerShape, LayerTrace } from './types.js';

/**
 * Packs one layer as its plan says.
 *
 * @param sides what other caches of this layer hold packed: they and this one share what is alike
 *
 * Throws UserError where the cache memory is used up or D is no multiple of 8 up to 256, and Error where
 * the plan does not fit the trace. Then nothing stays allocated.
 */
export function encodeLayer(
  trace: LayerTrace,
  plan: LayerPlan,
  dtype: CacheDtype,
  kernels: Kernels,
  sides: PackedSides = new PackedSides(),
): LayerCache {
  if (trace.headDim % 8 !== 0 || trace.headDim < 8 || trace.headDim > MAX_WIDTH) {
    throw new UserError(
      `head width ${trace.headDim} is not supported: expected a multiple of 8 up to ${MAX_WIDTH}`,
    );
  }
  checkPlan(trace, plan);
  if (trace.window !== undefined) {
    if (plan.decode !== undefined) {
      throw new UserError('a method that evicts while decoding cannot act in a layer that slides', {
        hint: 'Leave the step out for this model, or let it act on full layers only.',
      });
    }
    if (isPlain(plan.keys) && isPlain(plan.values))
      return encodeSliding({ ...trace, window: trace.window }, plan.tokens, dtype, kernels);
    return encodePacked(trace, withinWindow(plan, trace, trace.window), dtype, kernels, sides);
  }
  if (plan.decode !== undefined) return encodeLive(trace, plan.tokens, plan.decode, dtype, kernels);
  return encodePacked(trace, plan, dtype, kernels, sides);
}

function encodePacked(
  trace: LayerTrace,
  plan: LayerPlan,
  dtype: CacheDtype,
  kernels: Kernels,
  sides: PackedSides,
): LayerCache {
  const keys = sides.take(trace, 'keys', plan, dtype, kernels);
  try {
    const values = sides.take(trace, 'values', plan, dtype, kernels);
    const kept = plan.tokens.map(({ length }) => length);
    return new PackedLayerCache(trace, kept, { keys, values }, kernels, plan.tokens);
  } catch (error) {
    keys.buffers.free();
    throw error;
  }
}

class PackedLayerCache implements LayerCache {
  private readonly tails: readonly [SideTail, SideTail];
  private freed = false;

  constructor(
    private readonly shape: LayerShape,
    readonly kept: readonly number[],
    private readonly sides: { readonly keys: StoredSide; readonly values: StoredSide },
    private readonly kernels: Kernels,
    /** Positions of the kept prompt tokens, per KV head. */
    private readonly positions: readonly Int32Array[],
  ) {
    this.tails = [sides.keys.tail, sides.values.tail];
  }

  get memory(): KernelMemory {
    return this.kernels.memory;
  }

  append(keys: Float32Array, values: Float32Array, tokens: number): void {
    this.expectAlive();
    const size = tokens * this.shape.kvHeads * this.shape.headDim;
    expectSize(keys, size, 'keys');
    expectSize(values, size, 'values');
    this.sides.keys.tail.append(keys, tokens);
    this.sides.values.tail.append(values, tokens);
  }

  attend(queries: Float32Array, tokens: number, out: Float32Array): void {
    const { heads, headDim } = this.shape;
    expectSize(queries, tokens * heads * headDim, 'queries');
    expectSize(out, tokens * heads * headDim, 'out');
    attendNow(this, this.kernels, queries, tokens, out);
  }

  turns(tokens: number): number {
    this.expectAlive();
    const appended = this.tails[0].length;
    if (tokens < 1 || tokens > appended) {
      throw new Error(`expected 1 to ${appended} appended tokens to attend, got ${tokens}`);
    }
    // what a token reads may change after each one where tails settle
    const oneByOne = this.tails.some(({ settles }) => settles) || this.shape.window !== undefined;
    return oneByOne ? tokens : 1;
  }

  attendTurn(turn: number, tokens: number, place: AttentionPlace, work: AttentionWork): void {
    const { heads, kvHeads, headDim: width, softCap } = this.shape;
    const together = tokens / this.turns(tokens);
    const seen = this.seenAt(turn, tokens);
    attendLayer(
      work,
      this.headsAt(seen),
      { width, group: heads / kvHeads },
      together,
      {
        ...place,
        queries: place.queries + turn * together * place.queryStride,
        out: place.out + turn * together * place.outStride,
      },
      { softCap, expired: this.expiredAt(seen) },
    );
  }

  settleTurn(turn: number, tokens: number): void {
    const seen = this.seenAt(turn, tokens);
    for (const tail of this.tails) tail.settle(seen);
  }

  /** Appended tokens that the last one of a turn sees, itself included. */
  private seenAt(turn: number, tokens: number): number {
    const together = tokens / this.turns(tokens);
    return this.tails[0].length - tokens + (turn + 1) * together;
  }

  bytes(): ByteParts {
    return addBytes(this.sides.keys.buffers.bytes(), this.sides.values.buffers.bytes());
  }

  ownBytes(): number {
    const own = Object.values(this.sides).filter(({ shared }) => !shared);
    return own.reduce((total, { buffers }) => total + sumBytes(buffers.bytes()), 0);
  }

  tailBytes(): number {
    return this.tails[0].bytes() + this.tails[1].bytes();
  }

  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] } {
    this.expectAlive();
    const read = (side: PackedSide): Float32Array =>
      decodeSide(this.kernels.memory, side, this.shape.headDim);
    const heads = this.headsAt(this.tails[0].length);
    return { keys: heads.map(({ keys }) => read(keys)), values: heads.map(({ values }) => read(values)) };
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const { buffers, tail } of Object.values(this.sides)) {
      buffers.free();
      tail.free();
    }
  }

  /** Every KV head, with the first `seen` appended tokens. */
  private headsAt(seen: number): HeadCache[] {
    const read = ({ prompt, tail }: CachedSide, head: number): PackedSide => [
      ...prompt[head]!,
      ...tail.side(head, seen),
    ];
    return this.kept.map((kept, head) => ({
      keys: read(this.sides.keys, head),
      values: read(this.sides.values, head),
      length: kept + seen,
    }));
  }

  /** Per KV head: its oldest tokens that the `seen`-th appended one does not see any more. */
  private expiredAt(seen: number): number[] | undefined {
    const { window, length: S } = this.shape;
    if (window === undefined) return undefined;
    const least = firstInWindow(S + seen - 1, window);
    return this.positions.map((positions) => {
      const prompt = positions.findIndex((position) => position >= least);
      return (prompt < 0 ? positions.length : prompt) + Math.max(0, least - S);
    });
  }

  private expectAlive(): void {
    if (this.freed) throw new Error(`the cache of layer ${this.shape.layer} was used after it was freed`);
  }
}

function expectSize(list: Float32Array, expected: number, what: string): void {
  if (list.length !== expected) throw new Error(`${what}: expected ${expected} numbers, got ${list.length}`);
}
