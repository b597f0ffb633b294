/**
 * The tensors of a GGUF file under the names that the model asks for.
 *
 * llama.cpp's converter renames, fuses, splits, stacks experts and permutes rows, each architecture its own way.
 */
import { possibleTensors } from '../check-weights.js';
import { withLayout } from '../tensor-layout.js';
import type { ModelConfig, WeightSource } from '../types.js';
import { ggufArchitecture } from './config.js';
import type { GgufFile } from './file.js';

export function ggufWeights(file: GgufFile, config: ModelConfig): WeightSource {
  return withLayout(file.tensors, ggufArchitecture(file).gguf.tensors, config, possibleTensors(config));
}
