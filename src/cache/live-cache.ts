/**
 * One layer's cache whose tokens come and go while decoding, as a policy decides.
 *
 * New tokens take their steps one by one: a token joins, attends, the policy sees its attention, tokens go. Prompt and
 * decoded tokens stand in one dense store per KV head.
 * Alphabet: S prompt tokens, n held tokens of a KV head, T new tokens, H, KV, G = H/KV, D.
 */
import type { KernelMemory, Kernels, Pointer } from '../kernels/index.js';
import { NO_BYTES, sumBytes } from './bytes.js';
import { attendNow, type AttentionPlace } from './attention-work.js';
import { decodeSide } from './decode.js';
import { LiveStore, type SideName } from './live-store.js';
import type {
  ByteParts,
  CacheDtype,
  DecodePolicy,
  HeadAttention,
  LayerCache,
  LayerPolicy,
  LayerShape,
  LayerTrace,
} from './types.js';

/**
 * Stores the prompt tokens of each KV head and starts the policy.
 *
 * Throws UserError where the cache memory is used up; then nothing stays allocated.
 */
export function encodeLive(
  trace: LayerTrace,
  tokens: readonly Int32Array[],
  policy: DecodePolicy,
  dtype: CacheDtype,
  kernels: Kernels,
): LayerCache {
  const { headDim: D, length: S } = trace;
  const stores = tokens.map(() => new LiveStore(kernels.memory, dtype, D, policy.budget));
  try {
    stores.forEach((store, head) => {
      store.fit(tokens[head]!.length);
      for (const position of tokens[head]!) store.push(trace.keys, trace.values, (head * S + position) * D);
    });
    return new LiveLayerCache(trace, stores, policy, policy.start(tokens), kernels);
  } catch (error) {
    for (const store of stores) store.free();
    throw error;
  }
}

class LiveLayerCache implements LayerCache {
  /** Tokens at the end of each store that have not attended yet; they are not held before their step. */
  private waiting = 0;
  private freed = false;
  private readonly shape: Pick<LayerShape, 'layer' | 'heads' | 'kvHeads' | 'headDim' | 'softCap'>;

  constructor(
    { layer, heads, kvHeads, headDim, softCap }: LayerShape,
    private readonly stores: readonly LiveStore[],
    private readonly rules: Omit<DecodePolicy, 'start'>,
    private readonly policy: LayerPolicy,
    private readonly kernels: Kernels,
  ) {
    this.shape = { layer, heads, kvHeads, headDim, softCap };
  }

  get kept(): readonly number[] {
    return this.stores.map(({ length }) => length);
  }

  get memory(): KernelMemory {
    return this.kernels.memory;
  }

  append(keys: Float32Array, values: Float32Array, tokens: number): void {
    this.expectAlive();
    const { kvHeads: KV, headDim: D } = this.shape;
    expectSize(keys, tokens * KV * D, 'keys');
    expectSize(values, tokens * KV * D, 'values');
    if (this.waiting === 0 && tokens > 0 && this.rules.evicts === 'before_attention') this.evict();
    this.stores.forEach((store, head) => {
      store.fit(store.length + tokens);
      for (let t = 0; t < tokens; t++) store.push(keys, values, (t * KV + head) * D);
    });
    this.waiting += tokens;
  }

  attend(queries: Float32Array, tokens: number, out: Float32Array): void {
    const { heads: H, headDim: D } = this.shape;
    expectSize(queries, tokens * H * D, 'queries');
    expectSize(out, tokens * H * D, 'out');
    attendNow(this, this.kernels, queries, tokens, out);
  }

  /** The policy sees what every token attends to before the next one does: one after the other, on this thread. */
  turns(tokens: number): number {
    this.expectAlive();
    if (tokens < 1 || tokens !== this.waiting) {
      throw new Error(`expected all ${this.waiting} appended tokens to attend, once, got ${tokens}`);
    }
    return 1;
  }

  attendTurn(_turn: number, tokens: number, place: AttentionPlace): void {
    const { heads: H, headDim: D } = this.shape;
    const { memory } = this.kernels;
    const scratch = this.borrowScratch();
    try {
      for (let t = 0; t < tokens; t++) {
        if (t > 0 && this.rules.evicts === 'before_attention') this.evict();
        this.waiting--;
        this.step(
          memory.floats(place.queries + t * place.queryStride, H * D),
          memory.floats(place.out + t * place.outStride, H * D),
          scratch,
        );
        if (this.rules.evicts === 'after_attention') this.evict();
      }
    } finally {
      memory.free(scratch.queries);
    }
    for (const store of this.stores) store.fit(store.length);
  }

  settleTurn(): void {
    return;
  }

  bytes(): ByteParts {
    const value = this.stores.reduce((total, store) => total + store.bytes(), 0);
    return { ...NO_BYTES, value, index: this.policy.bytes() };
  }

  /** Every token may go: nothing is shared. */
  ownBytes(): number {
    return sumBytes(this.bytes());
  }

  /** Decoded tokens are counted by `bytes`. */
  tailBytes(): number {
    return 0;
  }

  decode(): { readonly keys: Float32Array[]; readonly values: Float32Array[] } {
    this.expectAlive();
    const read = (side: SideName): Float32Array[] =>
      this.stores.map((store) =>
        decodeSide(this.kernels.memory, [{ rows: store.rows(side, store.length) }], this.shape.headDim),
      );
    return { keys: read('keys'), values: read('values') };
  }

  free(): void {
    this.freed = true;
    for (const store of this.stores) store.free();
  }

  /** The newest held token attends: `queries [H, D]` → `out [H, D]`. */
  private step(queries: Float32Array, out: Float32Array, scratch: Scratch): void {
    const size = out.length / this.stores.length; // G·D
    const seen = this.stores.map((store, head): HeadAttention => {
      const mine: [number, number] = [head * size, (head + 1) * size];
      return attendHead(
        this.kernels,
        store,
        store.length - this.waiting,
        this.shape.headDim,
        queries.subarray(...mine),
        out.subarray(...mine),
        scratch,
        this.shape.softCap,
      );
    });
    this.policy.attended(seen);
  }

  /** Lets the policy evict among the held tokens; those that wait for their step stay. */
  private evict(): void {
    const going = this.policy.evict();
    this.stores.forEach((store, head) => {
      store.remove(going[head]!);
      const held = store.length - this.waiting;
      if (held > this.rules.budget) {
        throw new Error(
          `layer ${this.shape.layer}, KV head ${head}: the decode policy left ${held} tokens, more than its budget of ${this.rules.budget}`,
        );
      }
    });
  }

  private borrowScratch(): Scratch {
    const { heads, kvHeads, headDim: D } = this.shape;
    const group = heads / kvHeads;
    const stride = padded(Math.max(...this.kept));
    const queries = this.kernels.memory.alloc(4 * group * (2 * D + stride));
    return { queries, out: queries + 4 * group * D, scores: queries + 8 * group * D, stride };
  }

  private expectAlive(): void {
    if (this.freed) throw new Error(`the cache of layer ${this.shape.layer} was used after it was freed`);
  }
}

interface Scratch {
  /** `[G, D]`; also the address of the whole scratch. */
  readonly queries: Pointer;
  /** `[G, D]` */
  readonly out: Pointer;
  /** `[G, stride]` */
  readonly scores: Pointer;
  readonly stride: number;
}

/** `queries [G, D]` over the oldest n tokens of a store → `out [G, D]`, and the attention itself. */
function attendHead(
  kernels: Kernels,
  store: LiveStore,
  n: number,
  width: number,
  queries: Float32Array,
  out: Float32Array,
  { stride, ...scratch }: Scratch,
  softCap: number | undefined,
): HeadAttention {
  const { memory } = kernels;
  const group = queries.length / width; // G
  const all = { visible: n, group };
  const scale = 1 / Math.sqrt(width);
  const scores = memory.floats(scratch.scores, group * stride); // [G, stride]
  memory.floats(scratch.queries, group * width).set(queries);
  memory.floats(scratch.out, group * width).fill(0);
  kernels.score(store.rows('keys', n), scratch.queries, group, scratch.scores, stride);
  if (softCap !== undefined) kernels.softCap(scratch.scores, group, stride, n, softCap / scale);
  const logits = firstColumns(scores, stride, n).map((score) => score * scale);
  kernels.softmax(scratch.scores, group, stride, all, scale);
  kernels.accumulate(store.rows('values', n), scratch.scores, group, stride, all, scratch.out);
  out.set(memory.floats(scratch.out, group * width));
  return { logits, weights: firstColumns(scores, stride, n) };
}

/** `[G, stride]` → a copy `[G, n]`. */
function firstColumns(rows: Float32Array, stride: number, n: number): Float32Array {
  const columns = new Float32Array((rows.length / stride) * n);
  for (let g = 0; g * stride < rows.length; g++)
    columns.set(rows.subarray(g * stride, g * stride + n), g * n);
  return columns;
}

/** The next multiple of 4. */
function padded(count: number): number {
  return Math.ceil(count / 4) * 4;
}

function expectSize(list: Float32Array, expected: number, what: string): void {
  if (list.length !== expected) throw new Error(`${what}: expected ${expected} numbers, got ${list.length}`);
}
