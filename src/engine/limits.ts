/**
 * Whether a model's layers fit into an engine's memory.
 *
 * A prefill has one layer at a time on the engine, as float32. wasm otherwise ends in "memory access out of bounds".
 */
import { UserError } from '../base/errors.js';
import { kernelForm } from '../kernels/index.js';
import type { Engine } from './types.js';

/** Bytes of float32 weights, copies included, on wasm. Its heap is 4 GB; a fifth is left for activations. */
const WASM_LAYER_BYTES = 3.2e9;

/**
 * How often the heap of wasm holds a weight matrix: the backend's own product keeps a packed copy beside the first, ours
 * (`wasm-matmul.ts`) does not.
 */
export function wasmWeightCopies(): 1 | 2 {
  return kernelForm() === 'simd+fma' ? 1 : 2;
}

/**
 * @param layerBytes bytes of the largest layer as float32
 * @throws UserError (exit code 2) where it does not fit
 */
export function checkModelFits(engine: Pick<Engine, 'name'>, layerBytes: number): void {
  if (engine.name !== 'wasm') return;
  const most = WASM_LAYER_BYTES / wasmWeightCopies();
  if (layerBytes <= most) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new UserError(
    `a layer of the model has ${gigabytes(layerBytes)} GB of float32 weights, ` +
      `engine wasm holds at most ${gigabytes(most)} GB here`,
    {
      hint: 'spark-eval setup native builds an engine that is bounded by the memory of the machine only',
      exitCode: 2,
    },
  );
}
