/**
 * Leverage scores of the keys before RoPE, one half of Compactor (arXiv 2507.08143): keeps the tokens that no others
 * stand for.
 *
 *   X = (K − mean over the tokens) · Φ/√s        Φ Gaussian, [D, s]
 *   score = diag( X (XᵀX + ε)⁻¹ Xᵀ ),            over the heads and tokens of a layer mean 0, deviation 1
 */
import * as z from 'zod';
import type { LayerTrace } from '../../cache/types.js';
import { choleskyOf, gramOf, leverageOf } from '../cholesky.js';
import { observed, unrotatedKeys } from '../observations.js';
import { gaussianSketch, sketched, type Sketch } from '../sketch.js';
import { zScores } from '../z-scores.js';
import { notFinite } from '../../base/not-finite.js';
import { budgetFields, checkBudget, tokenMethod, type ScoringMethod } from './token-method.js';

/** Ridge of the first attempt, and by how much more each other one. */
const RIDGE = 1e-2;
const RIDGE_GROWTH = 10;
const ATTEMPTS = 5;

export const sketchFields = {
  sketch: z
    .int()
    .min(1)
    .max(256)
    .default(48)
    .describe('s, random directions that the keys are projected to; 1 to 256'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe('of the random directions, 0 to 2³² − 1'),
};

export interface SketchParams {
  readonly sketch: number;
  readonly seed: number;
}

const params = z
  .strictObject({ ...budgetFields, ...sketchFields })
  .check(checkBudget(() => ({ tokens: 1, of: 'one token' })));

type LeverageParams = z.infer<typeof params>;

export const leverage = leverageBy(gaussianSketch);

/** The method with sketches from elsewhere, one `[D, s]` per layer and KV head. */
export function leverageBy(sketch: Sketch): ScoringMethod<LeverageParams> {
  return tokenMethod<LeverageParams>({
    name: 'leverage',
    summary: 'keeps the tokens whose keys, before RoPE, no others stand for',
    paper: 'arXiv 2507.08143',
    notes: [
      'As in kvpress: by a Cholesky factor, which the paper does without; no token is exempt.',
      'Random directions are drawn anew for each layer and KV head, from the seed.',
      'Computed in float64; the released float32 factor is off by up to 1.4e−3.',
    ],
    params,
    observes: () => [unrotatedKeys],
    alwaysKept: () => ({ first: 0, last: 0, of: 'no token' }),
    score: (trace, params) => leverageScores(trace, params, { first: 0, last: 0 }, sketch),
  });
}

/** `[KV, S]` over the positions `first … S − last − 1`; 0 elsewhere. */
export function leverageScores(
  trace: LayerTrace,
  { sketch: s, seed }: SketchParams,
  { first, last }: { readonly first: number; readonly last: number },
  sketch: Sketch,
): Float32Array {
  const { layer, kvHeads: KV, headDim: D, length: S } = trace;
  const n = S - first - last;
  const scores = new Float32Array(KV * S);
  if (n <= 0) return scores;
  const keys = observed(trace, unrotatedKeys); // [KV, S, D]
  const raw = new Float32Array(KV * n);
  for (let h = 0; h < KV; h++) {
    const rows = keys.slice((h * S + first) * D, (h * S + first + n) * D); // [n, D]
    centre(rows, D);
    const x = sketched(rows, sketch({ seed, layer, head: h, rows: D, columns: s }), D); // [n, s]
    const factor = ridgeFactor(gramOf(x, s), s);
    if (factor === undefined) throw notFinite(`leverage: the keys of KV head ${h} have no leverage`);
    const scratch = new Float64Array(s);
    for (let t = 0; t < n; t++) raw[h * n + t] = leverageOf(factor, s, x, t * s, scratch);
  }
  const standard = zScores(raw);
  for (let h = 0; h < KV; h++) scores.set(standard.subarray(h * n, (h + 1) * n), h * S + first);
  return scores;
}

/** Subtracts the mean row. */
function centre(rows: Float32Array, D: number): void {
  const n = rows.length / D;
  for (let j = 0; j < D; j++) {
    let sum = 0;
    for (let t = 0; t < n; t++) sum += rows[t * D + j]!;
    for (let t = 0; t < n; t++) rows[t * D + j]! -= sum / n;
  }
}

function ridgeFactor(gram: Float64Array, n: number): Float64Array | undefined {
  let ridge = RIDGE;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const raised = gram.slice();
    for (let i = 0; i < n; i++) raised[i * n + i]! += ridge;
    const factor = choleskyOf(raised, n);
    if (factor !== undefined) return factor;
    ridge *= RIDGE_GROWTH;
  }
  return undefined;
}
