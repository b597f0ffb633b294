/**
 * Whether a model's weights fit into an engine's memory.
 *
 * Decides the limit of wasm, which otherwise ends in "memory access out of bounds". Knows only bytes.
 */
import { UserError } from '../errors.js';
import type { Engine } from './types.js';

/**
 * Largest sum of float32 weights on wasm. Its heap is 4 GB and the matmul library keeps a second, repacked
 * copy of every weight matrix; a fifth of the heap is left for activations.
 */
export const WASM_MAX_WEIGHT_BYTES = 1.6e9;

/**
 * @param parameterBytes bytes of all weights as float32
 * @throws UserError (exit code 2) where they do not fit
 */
export function checkModelFits(engine: Pick<Engine, 'name'>, parameterBytes: number): void {
  if (engine.name !== 'wasm' || parameterBytes <= WASM_MAX_WEIGHT_BYTES) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new UserError(
    `the model has ${gigabytes(parameterBytes)} GB of float32 weights, ` +
      `engine wasm holds at most ${gigabytes(WASM_MAX_WEIGHT_BYTES)} GB (about 0.4 billion parameters)`,
    {
      hint: 'spark-eval setup native builds an engine that is bounded by the memory of the machine only',
      exitCode: 2,
    },
  );
}
