/**
 * What of a configuration goes into digests: cell keys, manifests, kept factors.
 *
 * Facts that are Llama's are left out, so that a fact which is new to the program changes the keys of those models alone
 * that have it.
 */
import type { ModelConfig, Rope } from './types.js';

/** A JSON value that differs between configurations that compute differently. */
export function configIdentity(config: ModelConfig): Readonly<Record<string, unknown>> {
  const { architecture, layers, hidden, heads, kvHeads, headDim, intermediate, vocabulary } = config;
  const { normEps, tiedHead, maxPositions, eosIds, bosId } = config;
  const { norm, places, biases, headNorm, windows } = config;
  const rope = commonRope(config);
  return {
    ...{ architecture, layers, hidden, heads, kvHeads, headDim, intermediate, vocabulary },
    ...{ normEps, tiedHead, maxPositions, eosIds, bosId },
    ropeTheta: rope?.theta,
    ropeScaling: rope?.scaling,
    qkvBias: biases.qkv,
    qkNorm: headNorm === 'head',
    ...otherThanLlama({
      ropes: [rope === undefined ? config.ropes.map((one) => one ?? null) : undefined, undefined],
      windows: [windows.some((w) => w !== undefined) ? windows.map((w) => w ?? null) : undefined, undefined],
      norm: [norm.kind === 'rms' && !norm.plusOne ? undefined : norm, undefined],
      places: [isPre(places) ? undefined : places, undefined],
      wholeHeadNorm: [headNorm === 'whole', false],
      outputBias: [biases.output, false],
      mlpBias: [biases.mlp, false],
      parallel: [config.parallel, false],
      activation: [config.activation, 'silu'],
      gated: [config.gated, true],
      attentionScale: [config.attentionScale, headDim ** -0.5],
      attentionSoftCap: [config.attentionSoftCap, undefined],
      logitSoftCap: [config.logitSoftCap, undefined],
      embeddingScale: [config.embeddingScale, 1],
      residualScale: [config.residualScale, 1],
      logitScale: [config.logitScale, 1],
      experts: [config.experts, undefined],
    }),
  };
}

/** The values, each beside Llama's, that are not Llama's. */
function otherThanLlama(
  facts: Readonly<Record<string, readonly [unknown, unknown]>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts)
      .filter(([, [value, usual]]) => value !== usual)
      .map(([name, [value]]) => [name, value]),
  );
}

/** The rotation of all layers, where it is one of those that Llama releases have. */
function commonRope({ ropes, headDim }: ModelConfig): Rope | undefined {
  const [first] = ropes;
  if (first === undefined || ropes.some((rope) => rope !== first)) return undefined;
  const known = first.scaling === undefined || first.scaling.kind === 'llama3';
  return known && first.width === headDim && first.pairing === 'half' ? first : undefined;
}

function isPre({ attentionIn, attentionOut, mlpIn, mlpOut }: ModelConfig['places']): boolean {
  return attentionIn && mlpIn && !attentionOut && !mlpOut;
}
