/**
 * Bytes of a model's weights as the kernels hold them: in the precision of their file.
 *
 * They are known from the header of the file, so that what does not fit is refused before anything is read.
 */
import { matrixOf } from './packed-weights.js';
import type { WeightSource } from './types.js';

/** Of all tensors, or some; four for each number where a source cannot tell. */
export function weightBytes(
  weights: Pick<WeightSource, 'names' | 'shape' | 'packedBytes'>,
  names: readonly string[] = weights.names,
): number {
  return names.reduce((total, name) => {
    const { rows, columns } = matrixOf(weights.shape(name));
    return total + (weights.packedBytes?.(name) ?? 4 * rows * columns);
  }, 0);
}
