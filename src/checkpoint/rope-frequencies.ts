/**
 * Rotary position embedding: the angle of each pair of channels, as a checkpoint's configuration gives it.
 *
 * Readers need it too: a GGUF file tells its scaling only by the factors of these angles.
 */
import type { ModelConfig } from './types.js';

/** Angles per position, `[D/2]`, in radians. Llama-3 scaling as in the Llama 3.1 release (`rope_type: llama3`). */
export function ropeFrequencies(config: ModelConfig): Float32Array {
  const half = config.headDim / 2;
  const frequencies = new Float32Array(half);
  for (let j = 0; j < half; j++) {
    frequencies[j] = scaled(1 / config.ropeTheta ** ((2 * j) / config.headDim), config);
  }
  return frequencies;
}

function scaled(frequency: number, config: ModelConfig): number {
  const scaling = config.ropeScaling;
  if (scaling === undefined) return frequency;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}
