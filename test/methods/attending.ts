/** Decode steps with random tokens on one layer's cache. */
import { expect } from 'chai';
import { referenceAttention } from '../../src/cache/reference-attention.js';
import type { LayerCache, LayerPlan, LayerShape } from '../../src/cache/types.js';
import { randomNumbers } from '../cache/support.js';

type Shape = Pick<LayerShape, 'heads' | 'kvHeads' | 'headDim'>;

/** T decoded tokens. */
interface Tokens {
  readonly count: number;
  /** `[T, KV, D]` */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  /** `[T, H, D]` */
  readonly queries: Float32Array;
}

export function randomTokens(
  { heads, kvHeads, headDim }: Shape,
  count: number,
  random: () => number,
): Tokens {
  const numbers = (perToken: number): Float32Array => randomNumbers(count * perToken, random);
  return {
    count,
    keys: numbers(kvHeads * headDim),
    values: numbers(kvHeads * headDim),
    queries: numbers(heads * headDim),
  };
}

/**
 * Decodes the tokens one after the other; what each attends to must be what `decode()` reads just before, since a
 * cache may evict or quantise after the step. Returns the outputs, `[T, H, D]`.
 */
export function attendAsDecoded(
  cache: LayerCache,
  shape: Shape,
  plan: LayerPlan,
  tokens: Tokens,
): Float32Array {
  const all = new Float32Array(tokens.queries.length);
  for (let t = 0; t < tokens.count; t++) {
    const { keys, values, queries } = oneOf(tokens, t);
    cache.append(keys, values, 1);
    const expected = referenceAttention(
      { decode: () => readByQueryHeads(cache, shape, plan) },
      { ...shape, kvHeads: shape.heads },
      queries,
      1,
    );
    const got = all.subarray(t * queries.length, (t + 1) * queries.length);
    cache.attend(queries, 1, got);
    expectClose(got, expected, `token ${t}, against decode()`);
  }
  return all;
}

/** What each query head reads, `[n, D]`: its KV head's entries, or its own channels of them. */
function readByQueryHeads(
  cache: LayerCache,
  { heads, kvHeads, headDim: D }: Shape,
  plan: LayerPlan,
): ReturnType<LayerCache['decode']> {
  const decoded = cache.decode();
  const read = (name: 'keys' | 'values'): Float32Array[] =>
    Array.from({ length: heads }, (_, head) => {
      const kvHead = Math.floor(head / (heads / kvHeads));
      const entries = decoded[name][kvHead]!;
      const side = plan[name];
      if (side.codec !== 'channels' || side.queryMasks === undefined) return entries;
      const mask = side.queryMasks[head]!;
      const pruned = side.everyToken === true ? Infinity : cache.kept[kvHead]! - side.recent; // tokens
      return entries.map((x, i) => (i < pruned * D && mask[i % D] === 0 ? 0 : x));
    });
  return { keys: read('keys'), values: read('values') };
}

/** The same outputs where all tokens come at once. */
export function expectAttendsTogether(cache: LayerCache, tokens: Tokens, alone: Float32Array): void {
  const together = new Float32Array(alone.length);
  cache.append(tokens.keys, tokens.values, tokens.count);
  cache.attend(tokens.queries, tokens.count, together);
  expectClose(together, alone, `${tokens.count} tokens at once, against one by one`);
}

function oneOf({ count, keys, values, queries }: Tokens, t: number): Omit<Tokens, 'count'> {
  const part = (x: Float32Array): Float32Array =>
    x.slice((t * x.length) / count, ((t + 1) * x.length) / count);
  return { keys: part(keys), values: part(values), queries: part(queries) };
}

/** Finite, and equal relative to the size of the numbers. */
function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  let squares = 0;
  for (let i = 0; i < expected.length; i++) squares += expected[i]! ** 2 / expected.length;
  const tolerance = 5e-5 * (1 + Math.sqrt(squares));
  for (let i = 0; i < expected.length; i++) {
    // Written so that NaN fails.
    if (!(Math.abs(got[i]! - expected[i]!) < tolerance)) {
      expect.fail(`${what}: entry ${i} is ${got[i]!} and not ${expected[i]!}`);
    }
  }
}
