/**
 * CurDKV (arXiv 2509.15038): keeps the tokens of large leverage in keys and values, as a CUR decomposition would.
 *
 * Leverage is approximated by squared norms, each divided by the sum over a window of neighbours:
 *
 *   k_t = ‖k_t‖² / Σ_window ‖k‖²,   v_t likewise,   score = k_t · v_t
 */
import * as z from 'zod';
import { refuseUnused } from '../../base/unused-params.js';
import { gaussianSketch, sketched, type Sketch } from '../sketch.js';
import type { LayerTrace } from '../../cache/types.js';
import { budgetFields, checkBudget, tokenMethod, type ScoringMethod } from './token-method.js';

/** Columns of the random projection, as released. */
const SKETCH_WIDTH = 20;

const params = refuseUnused(
  z.strictObject({
    ...budgetFields,
    leverage: z
      .enum(['kv_product', 'kv_avg', 'key', 'value'])
      .default('kv_product')
      .describe('what is ranked: product or mean of the leverages of key and value, or one of them'),
    window: z
      .int()
      .min(0)
      .max(65_536)
      .default(16)
      .describe('tokens over which leverages are made to sum to 1; 1 to 65,536, 0 = over all tokens'),
    sinks: z.int().min(0).default(4).describe('first tokens of the prompt, which always stay; at least 0'),
    random_leverage: z
      .boolean()
      .default(false)
      .describe('whether keys and values are first projected to 20 random directions'),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('of the random directions, 0 to 2³² − 1'),
  }),
  { seed: { when: ({ random_leverage: random }) => random, needs: 'random_leverage: true' } },
).check(checkBudget(({ sinks }) => ({ tokens: Math.max(1, sinks), of: 'the sinks are part of the budget' })));

type CurParams = z.infer<typeof params>;

export const cur = curBy(gaussianSketch);

/** The method with sketches from elsewhere, one `[D, 20]` per layer for all its heads. */
export function curBy(sketch: Sketch): ScoringMethod<CurParams> {
  return tokenMethod<CurParams>({
    name: 'cur',
    summary: 'keeps the tokens whose keys and values have large norms among their neighbours',
    paper: 'arXiv 2509.15038',
    notes: [
      'As in kvpress: norms in windows of 16, four sinks. The last, shorter window divides by its own smaller sum, so that its tokens score higher; as released.',
      'A window whose norms are all 0 scores 0; the released code gets no number there.',
      'One random projection of a layer serves keys and values of all heads, as released.',
    ],
    params,
    observes: () => [],
    alwaysKept: ({ sinks }) => ({ first: sinks, last: 0, of: 'the sinks' }),
    score: (trace, params) => scores(trace, params, sketch),
  });
}

function scores(trace: LayerTrace, params: CurParams, sketch: Sketch): Float32Array {
  const { layer, kvHeads: KV, headDim: D, length: S } = trace;
  const { leverage, window, sinks, random_leverage: random, seed } = params;
  const projection = random ? sketch({ seed, layer, head: 0, rows: D, columns: SKETCH_WIDTH }) : undefined;
  const out = new Float32Array(KV * S); // [KV, S]
  for (let h = 0; h < KV; h++) {
    const side = (x: Float32Array): Float64Array => {
      const head = x.subarray(h * S * D, (h + 1) * S * D); // [S, D]
      const rows = projection === undefined ? head : sketched(head, projection, D);
      return sharesOf(squaredNorms(rows, S), window === 0 ? S : window);
    };
    const [k, v] = [side(trace.keys), side(trace.values)];
    const row = Float64Array.from(k, (key, t) => {
      const value = v[t]!;
      if (leverage === 'key') return key;
      if (leverage === 'value') return value;
      return leverage === 'kv_avg' ? (key + value) / 2 : key * value;
    });
    const shares = sharesOf(row, S);
    for (let t = 0; t < S; t++) out[h * S + t] = t < sinks ? 1 : shares[t]!;
  }
  return out;
}

/** ‖x‖² of n rows. */
function squaredNorms(x: ArrayLike<number>, n: number): Float64Array {
  const width = x.length / n;
  return Float64Array.from({ length: n }, (_, t) => {
    let sum = 0;
    for (let j = t * width; j < (t + 1) * width; j++) sum += x[j]! ** 2;
    return sum;
  });
}

/** Each number over the sum of its window. */
function sharesOf(numbers: Float64Array, window: number): Float64Array {
  const shares = numbers.slice();
  for (let start = 0; start < shares.length; start += window) {
    const part = shares.subarray(start, start + window);
    const sum = part.reduce((a, b) => a + b, 0);
    for (let t = 0; t < part.length; t++) part[t] = sum === 0 ? 0 : part[t]! / sum;
  }
  return shares;
}
