/**
 * Whether a model's weights fit into an engine's memory.
 *
 * wasm otherwise ends in "memory access out of bounds".
 */
import { UserError } from '../base/errors.js';
import { kernelForm } from '../kernels/index.js';
import type { Engine } from './types.js';

/** Bytes of float32 weights, copies included, on wasm. Its heap is 4 GB; a fifth is left for activations. */
const WASM_WEIGHT_BYTES = 3.2e9;

/**
 * How often the heap of wasm holds a weight matrix: the backend's own product keeps a packed copy beside the first, ours
 * (`wasm-matmul.ts`) does not.
 */
export function wasmWeightCopies(): 1 | 2 {
  return kernelForm() === 'simd+fma' ? 1 : 2;
}

/**
 * @param parameterBytes bytes of all weights as float32
 * @throws UserError (exit code 2) where they do not fit
 */
export function checkModelFits(engine: Pick<Engine, 'name'>, parameterBytes: number): void {
  if (engine.name !== 'wasm') return;
  const most = WASM_WEIGHT_BYTES / wasmWeightCopies();
  if (parameterBytes <= most) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new UserError(
    `the model has ${gigabytes(parameterBytes)} GB of float32 weights, ` +
      `engine wasm holds at most ${gigabytes(most)} GB here (about ${gigabytes(most / 4)} billion parameters)`,
    {
      hint: 'spark-eval setup native builds an engine that is bounded by the memory of the machine only',
      exitCode: 2,
    },
  );
}
