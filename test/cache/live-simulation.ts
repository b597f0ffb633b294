/**
 * Eviction while decoding, a second time and plainly: the steps of a cache on lists of rows, in float64, and policies
 * that evict without looking.
 */
import { expect } from 'chai';
import type {
  CacheDtype,
  DecodePolicy,
  HeadAttention,
  LayerCache,
  LayerPlan,
  LayerTrace,
} from '../../src/cache/types.js';
import { randomFrom, randomNumbers } from './support.js';

type Row = readonly number[];
type Attended = readonly { readonly logits: readonly Row[]; readonly weights: readonly Row[] }[];

/**
 * Evicts pseudo-random tokens of each head, down to `budget` at times and below it at others. What it was shown is
 * written to `log`.
 */
export function scattered(
  budget: number,
  evicts: DecodePolicy['evicts'],
  seed: number,
  log: (readonly HeadAttention[])[] = [],
): DecodePolicy {
  return {
    budget,
    evicts,
    start(positions) {
      const random = randomFrom(seed);
      const held = positions.map(({ length }) => length);
      return {
        attended(heads) {
          log.push(heads);
          held.forEach((n, h) => (held[h] = n + 1));
        },
        evict() {
          return held.map((n, h) => {
            const going = n > budget ? n - budget + Math.floor(random() * Math.min(2, budget)) : 0;
            const places = Array.from({ length: n }, (_, i) => ({ i, at: random() }));
            const chosen = places.sort((a, b) => a.at - b.at).slice(0, going);
            held[h] = n - going;
            return chosen.map(({ i }) => i).sort((a, b) => a - b);
          });
        },
        bytes: () => 24,
      };
    },
  };
}

/** float32 → the number that the cache stores. */
function stored(numbers: Float32Array, dtype: CacheDtype): Row {
  if (dtype === 'float32') return [...numbers];
  return [...numbers].map((x) => {
    if (x === 0) return 0;
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - 7);
    const down = Math.floor(x / unit);
    const rest = x / unit - down;
    return (rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down) * unit;
  });
}

export interface Tokens {
  readonly count: number;
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly queries: Float32Array;
}

export function randomTokens(
  { heads, kvHeads, headDim }: LayerTrace,
  count: number,
  random: () => number,
): Tokens {
  return {
    count,
    keys: randomNumbers(count * kvHeads * headDim, random),
    values: randomNumbers(count * kvHeads * headDim, random),
    queries: randomNumbers(count * heads * headDim, random),
  };
}

export function attend(cache: LayerCache, { count, keys, values, queries }: Tokens): Float32Array {
  const out = new Float32Array(queries.length).fill(NaN);
  cache.append(keys, values, count);
  cache.attend(queries, count, out);
  return out;
}

/** The same steps on lists of rows, one list per KV head. */
export class Simulation {
  readonly keys: Row[][];
  readonly values: Row[][];
  readonly shown: Attended[] = [];
  private readonly policy;

  constructor(
    private readonly trace: LayerTrace,
    plan: LayerPlan,
    private readonly dtype: CacheDtype,
  ) {
    const rows = (side: Float32Array): Row[][] =>
      plan.tokens.map((tokens, h) => [...tokens].map((t) => this.row(side, h * trace.length + t)));
    this.keys = rows(trace.keys);
    this.values = rows(trace.values);
    this.policy = plan.decode!.start(plan.tokens);
  }

  /** `[T, H·D]` */
  step(tokens: Tokens, evicts: DecodePolicy['evicts']): number[] {
    const out: number[] = [];
    for (let t = 0; t < tokens.count; t++) {
      if (evicts === 'before_attention') this.evict();
      const shown = this.keys.map((keys, h) => {
        const at = t * this.trace.kvHeads + h;
        keys.push(this.row(tokens.keys, at));
        this.values[h]!.push(this.row(tokens.values, at));
        return this.attendHead(h, t, tokens.queries, out);
      });
      this.shown.push(shown);
      this.policy.attended(
        this.keys.map(() => ({ logits: new Float32Array(), weights: new Float32Array() })),
      );
      if (evicts === 'after_attention') this.evict();
    }
    return out;
  }

  private attendHead(h: number, t: number, queries: Float32Array, out: number[]): Attended[number] {
    const { heads: H, kvHeads: KV, headDim: D } = this.trace;
    const logits: number[][] = [];
    const weights: number[][] = [];
    for (let g = 0; g < H / KV; g++) {
      const at = (t * H + (h * H) / KV + g) * D;
      const query = [...queries.subarray(at, at + D)];
      const row = this.keys[h]!.map((key) => dot(query, key) / Math.sqrt(D));
      const top = Math.max(...row);
      const sum = row.reduce((total, x) => total + Math.exp(x - top), 0);
      const soft = row.map((x) => Math.exp(x - top) / sum);
      for (let j = 0; j < D; j++)
        out.push(
          dot(
            soft,
            this.values[h]!.map((value) => value[j]!),
          ),
        );
      logits.push(row);
      weights.push(soft);
    }
    return { logits, weights };
  }

  private evict(): void {
    this.policy.evict().forEach((going, h) => {
      this.keys[h] = this.keys[h]!.filter((_, i) => !going.includes(i));
      this.values[h] = this.values[h]!.filter((_, i) => !going.includes(i));
    });
  }

  private row(side: Float32Array, index: number): Row {
    const { headDim: D } = this.trace;
    return stored(side.subarray(index * D, (index + 1) * D), this.dtype);
  }
}

const dot = (a: Row, b: Row): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

export function expectClose(got: ArrayLike<number>, expected: Row): void {
  expect(got.length).to.equal(expected.length);
  const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  expected.forEach((x, i) => {
    if (!(Math.abs(got[i]! - x) < 2e-5 * (1 + size))) expect(got[i], `entry ${i}`).to.equal(x);
  });
}

/** Keeps the newest. */
export function newest(budget: number): DecodePolicy['start'] {
  return (positions) => {
    let n = positions[0]!.length;
    return {
      attended: () => n++,
      evict() {
        const going = Array.from({ length: Math.max(0, n - budget) }, (_, i) => i);
        n -= going.length;
        return positions.map(() => going);
      },
      bytes: () => 0,
    };
  };
}
