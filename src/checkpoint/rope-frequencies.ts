/**
 * Rotary position embedding: the angle of each pair of channels, as a checkpoint's configuration gives it.
 *
 * Readers need it too: a GGUF file tells the scaling of Llama 3 only by the factors of these angles.
 */
import type { Rope, RopeScaling } from './types.js';

/**
 * Angles per position, `[width/2]`, in radians (transformers 5.2, `modeling_rope_utils.py`).
 *
 * @param length tokens of the sequence that is computed with them; dynamic scaling and LongRoPE depend on it
 */
export function ropeFrequencies(rope: Rope, length: number): Float32Array {
  const { width, scaling } = rope;
  const theta = scaling?.kind === 'dynamic' ? dynamicTheta(rope, scaling, length) : rope.theta;
  return Float32Array.from({ length: width / 2 }, (_, j) =>
    scaled(1 / theta ** ((2 * j) / width), j, rope, length),
  );
}

/** What cosine and sine are multiplied by. */
export function ropeAttentionFactor({ scaling }: Rope): number {
  return scaling !== undefined && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
}

/** Whether the angles depend on the length of the sequence. */
export function dependsOnLength({ scaling }: Rope): boolean {
  return scaling?.kind === 'dynamic' || scaling?.kind === 'longrope';
}

function scaled(frequency: number, j: number, rope: Rope, length: number): number {
  const { scaling } = rope;
  switch (scaling?.kind) {
    case undefined:
    case 'dynamic':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'llama3':
      return llama3(frequency, scaling);
    case 'yarn': {
      const slow = yarnRamp(j, rope, scaling);
      return frequency * (slow / scaling.factor + 1 - slow);
    }
    case 'longrope': {
      const { shortFactor, longFactor, originalMaxPositions } = scaling;
      return frequency / (length > originalMaxPositions ? longFactor : shortFactor)[j]!;
    }
  }
}

/** Fast channels as they are, slow ones divided by the factor, a blend between. */
function llama3(
  frequency: number,
  { factor, lowFreqFactor, highFreqFactor, originalMaxPositions }: RopeScaling & { kind: 'llama3' },
): number {
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

/** 0 for channels that turn often within the original positions, 1 for those that hardly turn, a ramp between. */
function yarnRamp(
  j: number,
  { theta, width }: Rope,
  { originalMaxPositions, betaFast, betaSlow, truncate }: RopeScaling & { kind: 'yarn' },
): number {
  const channelOf = (turns: number): number =>
    (width * Math.log(originalMaxPositions / (2 * Math.PI * turns))) / (2 * Math.log(theta));
  const low = Math.max(0, truncate ? Math.floor(channelOf(betaFast)) : channelOf(betaFast));
  const high = Math.min(width - 1, truncate ? Math.ceil(channelOf(betaSlow)) : channelOf(betaSlow));
  return Math.min(1, Math.max(0, (j - low) / (high === low ? 0.001 : high - low)));
}

/** θ of dynamic NTK scaling. */
function dynamicTheta(
  { theta, width }: Rope,
  { factor, originalMaxPositions }: RopeScaling & { kind: 'dynamic' },
  length: number,
): number {
  const n = Math.max(length, originalMaxPositions);
  return theta * ((factor * n) / originalMaxPositions - (factor - 1)) ** (width / (width - 2));
}
