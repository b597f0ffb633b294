/**
 * What holds for the numbers of any model, whatever file they came from.
 *
 * Files are untrusted: sizes far above any published model would exhaust memory in a shape computation.
 */
import { UserError } from '../base/errors.js';
import type { ModelConfig } from './types.js';

type Size =
  'layers' | 'hidden' | 'heads' | 'kvHeads' | 'headDim' | 'intermediate' | 'vocabulary' | 'maxPositions';

const LARGEST: Readonly<Record<Size, number>> = {
  layers: 1_024,
  hidden: 65_536,
  heads: 1_024,
  kvHeads: 1_024,
  headDim: 1_024,
  intermediate: 1_048_576,
  vocabulary: 4_194_304,
  maxPositions: 134_217_728,
};

/** Throws UserError (place = the file) on sizes that are absurd or do not fit together. */
export function checkConfig(config: ModelConfig, place: string): void {
  const refuse = (message: string): never => {
    throw new UserError(message, { place });
  };
  for (const [key, largest] of Object.entries(LARGEST) as [Size, number][]) {
    const value = config[key];
    if (!Number.isInteger(value) || value < 1 || value > largest) {
      refuse(`${key}: expected a whole number from 1 to ${largest}, got ${value}`);
    }
  }
  const { heads, kvHeads, headDim, vocabulary, normEps } = config;
  if (heads % kvHeads !== 0) refuse(`${heads} query heads cannot be shared evenly by ${kvHeads} KV heads`);
  if (headDim % 2 !== 0) refuse(`headDim: RoPE needs an even number, got ${headDim}`);
  if (!(normEps > 0 && Number.isFinite(normEps)))
    refuse(`normEps: expected a positive number, got ${normEps}`);
  const stray = [...config.eosIds, config.bosId ?? 0].find((id) => id >= vocabulary);
  if (stray !== undefined) refuse(`token id ${stray} is outside the vocabulary of ${vocabulary}`);
}
