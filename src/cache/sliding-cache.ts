/**
 * One sliding layer's cache of one row, plain and dense: what the window still reaches.
 *
 * As transformers has it: a token attends to itself and to the W − 1 positions before it, and between two steps the last
 * W − 1 are held. Entries are told apart by their true positions, so that gaps that an eviction left stay gaps.
 * Alphabet: S prompt tokens, T new tokens, H, KV, G = H/KV, D, W window.
 */
import type { KernelMemory, Kernels, Pointer } from '../kernels/index.js';
import { entryBytes } from '../kernels/entries.js';
import { attendLayer, type HeadCache } from './attention.js';
import { attendNow, type AttentionPlace, type AttentionWork } from './attention-work.js';
import { NO_BYTES, sumBytes } from './bytes.js';
import { decodeSide } from './decode.js';
import type { PackedSide } from './rows/segment.js';
import { SlidingStore, writeRow, type SideName } from './sliding-store.js';
import type { ByteParts, CacheDtype, LayerCache, LayerShape, LayerTrace } from './types.js';

/** The first position that a query at `position` sees. */
export function firstInWindow(position: number, window: number): number {
  return position - window + 1;
}

/**
 * Stores those of the given prompt tokens that a token behind the prompt can see.
 *
 * @param tokens per KV head, ascending positions
 *
 * Throws UserError where the cache memory is used up; then nothing stays allocated.
 */
export function encodeSliding(
  trace: LayerTrace & { readonly window: number },
  tokens: readonly Int32Array[],
  dtype: CacheDtype,
  kernels: Kernels,
): LayerCache {
  const { headDim: D, length: S, window: W } = trace;
  const least = firstInWindow(S, W);
  const stores = tokens.map(() => new SlidingStore(kernels.memory, dtype, D, W - 1));
  try {
    stores.forEach((store, head) => {
      const seen = tokens[head]!.filter((position) => position >= least);
      store.reserve(seen.length);
      for (const position of seen) store.push(position, trace.keys, trace.values, (head * S + position) * D);
    });
    return new SlidingCache(trace, stores, dtype, kernels);
  } catch (error) {
    for (const store of stores) store.free();
    throw error;
  }
}

/** Tokens that were appended and have not attended. */
interface Waiting {
  /** `[T, KV, D]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly tokens: number;
}

class SlidingCache implements LayerCache {
  private waiting: Waiting | undefined;
  private freed = false;
  /** The rows of the token whose turn it is. */
  private newest: Pointer | undefined;
  /** Of the next token. */
  private position: number;
  private readonly shape: Pick<LayerShape, 'layer' | 'heads' | 'kvHeads' | 'headDim' | 'softCap'>;
  private readonly window: number;

  constructor(
    { layer, heads, kvHeads, headDim, softCap, window, length }: LayerShape & { readonly window: number },
    private readonly stores: readonly SlidingStore[],
    private readonly dtype: CacheDtype,
    private readonly kernels: Kernels,
  ) {
    this.shape = { layer, heads, kvHeads, headDim, softCap };
    this.window = window;
    this.position = length;
  }

  get kept(): readonly number[] {
    return this.stores.map(({ length }) => length);
  }

  get memory(): KernelMemory {
    return this.kernels.memory;
  }

  append(keys: Float32Array, values: Float32Array, tokens: number): void {
    this.expectAlive();
    const size = tokens * this.shape.kvHeads * this.shape.headDim;
    if (keys.length !== size || values.length !== size) {
      throw new Error(`keys and values: expected ${size} numbers, got ${keys.length} and ${values.length}`);
    }
    if (this.waiting !== undefined) throw new Error('tokens were appended before those in front attended');
    this.waiting = { keys: keys.slice(), values: values.slice(), tokens };
  }

  attend(queries: Float32Array, tokens: number, out: Float32Array): void {
    this.expectAlive();
    attendNow(this, this.kernels, queries, tokens, out);
  }

  turns(tokens: number): number {
    this.expectAlive();
    if (this.waiting === undefined || tokens !== this.waiting.tokens) {
      throw new Error(
        `expected all ${this.waiting?.tokens ?? 0} appended tokens to attend, once, got ${tokens}`,
      );
    }
    return tokens;
  }

  /** The token at `this.position` attends to what is held and to itself. */
  attendTurn(turn: number, _tokens: number, place: AttentionPlace, work: AttentionWork): void {
    const { heads: H, kvHeads: KV, headDim: D, softCap } = this.shape;
    const { memory } = this.kernels;
    const { keys, values } = this.waiting!;
    const rowBytes = D * entryBytes(this.dtype);
    const newest = (this.newest ??= memory.alloc(2 * KV * rowBytes)); // [KV, 2, D]
    const heads = this.stores.map((store, head): HeadCache => {
      const from = (turn * KV + head) * D;
      const [key, value] = [newest + 2 * head * rowBytes, newest + (2 * head + 1) * rowBytes];
      writeRow(memory, this.dtype, key, D, keys, from);
      writeRow(memory, this.dtype, value, D, values, from);
      const row = (entries: Pointer): PackedSide => [
        { rows: { kind: 'dense', format: this.dtype, count: 1, width: D, entries } },
      ];
      return {
        keys: [...store.side('keys'), ...row(key)],
        values: [...store.side('values'), ...row(value)],
        length: store.length + 1,
      };
    });
    const mine = {
      ...place,
      queries: place.queries + turn * place.queryStride,
      out: place.out + turn * place.outStride,
    };
    attendLayer(work, heads, { width: D, group: H / KV }, 1, mine, { softCap });
  }

  /** The token joins what is held; what no later token sees goes. */
  settleTurn(turn: number, tokens: number): void {
    const { kvHeads: KV, headDim: D } = this.shape;
    const { keys, values } = this.waiting!;
    this.position++;
    this.stores.forEach((store, head) => {
      store.expire(firstInWindow(this.position, this.window));
      if (this.window > 1) store.push(this.position - 1, keys, values, (turn * KV + head) * D);
    });
    if (turn < tokens - 1) return;
    this.waiting = undefined;
    if (this.newest !== undefined) this.kernels.memory.free(this.newest);
    this.newest = undefined;
  }

  bytes(): ByteParts {
    return { ...NO_BYTES, value: this.stores.reduce((total, store) => total + store.bytes(), 0) };
  }

  /** Tokens leave: nothing is shared. */
  ownBytes(): number {
    return sumBytes(this.bytes());
  }

  /** Decoded tokens stand among those of the prompt and are counted by `bytes`. */
  tailBytes(): number {
    return 0;
  }

  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] } {
    this.expectAlive();
    const read = (side: SideName): Float32Array[] =>
      this.stores.map((store) => decodeSide(this.kernels.memory, store.side(side), this.shape.headDim));
    return { keys: read('keys'), values: read('values') };
  }

  free(): void {
    this.freed = true;
    if (this.newest !== undefined) this.kernels.memory.free(this.newest);
    this.newest = undefined;
    for (const store of this.stores) store.free();
  }

  private expectAlive(): void {
    if (this.freed) throw new Error(`the cache of layer ${this.shape.layer} was used after it was freed`);
  }
}
