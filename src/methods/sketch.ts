/**
 * Gaussian sketches: random projections that methods draw, from the seed of the experiment.
 *
 * A method takes where its sketch comes from as an argument, so that a test can give the one of a published run.
 */
import { drawsFor, normal } from './draws.js';

/** Independent numbers from N(0, 1), `[rows, columns]`, for one layer and KV head. */
export type Sketch = (request: {
  readonly seed: number;
  readonly layer: number;
  readonly head: number;
  readonly rows: number;
  readonly columns: number;
}) => Float32Array;

export const gaussianSketch: Sketch = ({ seed, layer, head, rows, columns }) => {
  const draws = drawsFor(seed, layer, head);
  return Float32Array.from({ length: rows * columns }, () => normal(draws, 0, 1));
};

/** `x [n, D]` times a sketch `[D, s]` over √s; `[n, s]`. */
export function sketched(x: Float32Array, sketch: Float32Array, D: number): Float64Array {
  const s = sketch.length / D;
  const n = x.length / D;
  const out = new Float64Array(n * s);
  const scale = 1 / Math.sqrt(s);
  for (let t = 0; t < n; t++) {
    for (let j = 0; j < D; j++) {
      const weight = x[t * D + j]! * scale;
      for (let i = 0; i < s; i++) out[t * s + i]! += weight * sketch[j * s + i]!;
    }
  }
  return out;
}
