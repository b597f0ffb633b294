/**
 * The RoPE fields of config.json, in every spelling, as one block.
 *
 * transformers 4 has `rope_theta` and `rope_scaling`, transformers 5 has `rope_parameters`, and model cards tell users to add
 * one to the other: what is said twice must agree, or the model would be computed with one of the two, unsaid.
 */
import { canonicalJson } from '../base/canonical-json.js';
import { UserError } from '../base/errors.js';
import { LAYER_TYPES, type HfConfig, type RopeFields } from './hf-config.js';
import type { Rope, RopeScaling } from './types.js';

type LayerType = (typeof LAYER_TYPES)[number];

/** What an architecture says of its rotation beside the fields. */
export interface RopeOptions {
  readonly headDim: number;
  /** Where no field says it. */
  readonly theta: number;
  /** Share of the head that rotates, where no field says it. */
  readonly rotated?: number | undefined;
  readonly pairing?: Rope['pairing'];
}

const SCALINGS = ['default', 'linear', 'dynamic', 'yarn', 'longrope', 'llama3'];

/** The rotation of all layers. Throws UserError (place = the file) on fields that contradict each other or are missing. */
export function parseRope(c: HfConfig, options: RopeOptions, place: string): Rope {
  if (isNested(c.rope_parameters)) {
    throw new UserError('rope_parameters: expected one block, found one per type of layer', { place });
  }
  return ropeOf(c, merged(c.rope_parameters, c.rope_scaling, place), c.rope_theta, options, place);
}

/**
 * The rotation of each type of layer, where these differ: `rope_scaling` and `rope_theta` are of full layers then, and
 * sliding ones have `rope_local_base_freq` and no scaling.
 */
export function parseRopeByType(
  c: HfConfig,
  { localTheta, ...options }: RopeOptions & { readonly localTheta: number },
  place: string,
): Readonly<Record<LayerType, Rope>> {
  const nested = isNested(c.rope_parameters) ? c.rope_parameters : undefined;
  const one = nested === undefined ? c.rope_parameters : undefined;
  const full = merged(nested?.full_attention ?? one, c.rope_scaling, place);
  return {
    full_attention: ropeOf(c, full, c.rope_theta, options, place),
    sliding_attention: ropeOf(
      c,
      nested?.sliding_attention ?? undefined,
      c.rope_local_base_freq,
      { ...options, theta: localTheta },
      place,
    ),
  };
}

type Nested = Partial<Record<LayerType, RopeFields | null | undefined>>;

function isNested(rope: HfConfig['rope_parameters']): rope is Nested {
  return (
    rope !== null && rope !== undefined && LAYER_TYPES.some((type) => typeof rope[type as never] === 'object')
  );
}

/** One of two blocks where only one is there; both must say the same of what both say. */
function merged(
  parameters: RopeFields | null | undefined,
  scaling: RopeFields | null | undefined,
  place: string,
): RopeFields | undefined {
  if (parameters === null || parameters === undefined) return scaling ?? undefined;
  if (scaling === null || scaling === undefined) return parameters;
  const plain = (block: RopeFields): Record<string, unknown> => {
    const { type, rope_type, ...rest } = block;
    const said = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
    return { ...Object.fromEntries(said), rope_type: kindOf({ type, rope_type }) };
  };
  const [a, b] = [plain(parameters), plain(scaling)];
  const other = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    (key) =>
      canonicalJson(a[key] ?? null) !== canonicalJson(b[key] ?? null) &&
      !((key === 'rope_theta' || key === 'partial_rotary_factor') && !(key in a && key in b)),
  );
  if (other !== undefined) {
    throw new UserError(
      `rope_parameters and rope_scaling differ: ${other} is ${shown(a[other])} and ${shown(b[other])}`,
      { place, hint: 'Keep the one that is meant; rope_parameters is the newer name of rope_scaling.' },
    );
  }
  return { ...parameters, ...scaling };
}

function shown(value: unknown): string {
  return value === undefined ? 'not given' : JSON.stringify(value);
}

/** The scaling's name; "su", and "yarn" of the first Phi-3 files, are handled by `parseScaling`. */
function kindOf({ rope_type, type }: Pick<RopeFields, 'rope_type' | 'type'>): string {
  return rope_type ?? type ?? 'default';
}

/** Of two places that may hold a number: the one that does. Throws UserError where they differ. */
function agreed(
  name: string,
  inside: number | null | undefined,
  outside: number | null | undefined,
  place: string,
): number | undefined {
  if (typeof inside === 'number' && typeof outside === 'number' && inside !== outside) {
    throw new UserError(`${name} is ${outside}, and ${inside} among the RoPE fields`, {
      place,
      hint: 'Keep the one that is meant.',
    });
  }
  return inside ?? outside ?? undefined;
}

function ropeOf(
  c: HfConfig,
  block: RopeFields | undefined,
  outerTheta: number | null | undefined,
  { headDim, theta, rotated, pairing = 'half' }: RopeOptions,
  place: string,
): Rope {
  const nested = Object.entries(block ?? {}).find(
    ([, value]) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  if (nested !== undefined) {
    throw new UserError(`rope_parameters: expected numbers, found a block for "${nested[0]}"`, { place });
  }
  const share =
    agreed('partial_rotary_factor', block?.partial_rotary_factor, c.partial_rotary_factor, place) ??
    rotated ??
    1;
  const width = Math.floor(headDim * share + 1e-9);
  if (width < 2 || width % 2 !== 0) {
    throw new UserError(
      `partial_rotary_factor ${share} of head width ${headDim}: RoPE needs an even number`,
      {
        place,
      },
    );
  }
  const base = agreed('rope_theta', block?.rope_theta, outerTheta, place) ?? theta;
  return { theta: base, width, pairing, scaling: parseScaling(c, block, width, place) };
}

function parseScaling(
  c: HfConfig,
  block: RopeFields | undefined,
  width: number,
  place: string,
): RopeScaling | undefined {
  if (block === undefined) return undefined;
  const refuse = (message: string, hint?: string): never => {
    throw new UserError(message, { place, ...(hint === undefined ? {} : { hint }) });
  };
  if (
    block.rope_type !== null &&
    block.rope_type !== undefined &&
    typeof block.type === 'string' &&
    block.rope_type !== block.type
  ) {
    refuse(`rope_type is "${block.rope_type}" and type is "${block.type}"`, 'Keep the one that is meant.');
  }
  const named = kindOf(block);
  const kind = named === 'su' || (named === 'yarn' && Array.isArray(block.long_factor)) ? 'longrope' : named;
  const original = agreed(
    'original_max_position_embeddings',
    block.original_max_position_embeddings,
    c.original_max_position_embeddings,
    place,
  );
  const need = <T>(field: string, value: T | null | undefined): T =>
    value ?? refuse(`rope type "${kind}" needs ${field}`);
  switch (kind) {
    case 'default':
      if (typeof block.factor === 'number' && block.factor !== 1) {
        refuse(
          `the RoPE fields have factor ${block.factor} and no type`,
          `Add "rope_type": one of ${SCALINGS.slice(1).join(', ')}.`,
        );
      }
      return undefined;
    case 'linear':
      return { kind, factor: need('factor', block.factor) };
    case 'dynamic':
      return {
        kind,
        factor: need('factor', block.factor),
        originalMaxPositions: c.max_position_embeddings,
      };
    case 'llama3': {
      const scaling: RopeScaling = {
        kind,
        factor: need('factor', block.factor),
        lowFreqFactor: need('low_freq_factor', block.low_freq_factor),
        highFreqFactor: need('high_freq_factor', block.high_freq_factor),
        originalMaxPositions: need('original_max_position_embeddings', original),
      };
      if (scaling.highFreqFactor <= scaling.lowFreqFactor)
        refuse('rope scaling: the high frequency factor must exceed the low one');
      return scaling;
    }
    case 'yarn': {
      const originalMaxPositions = original ?? c.max_position_embeddings;
      const factor = need('factor', block.factor);
      return {
        kind,
        factor,
        originalMaxPositions,
        betaFast: block.beta_fast ?? 32,
        betaSlow: block.beta_slow ?? 1,
        truncate: block.truncate ?? true,
        attentionFactor: block.attention_factor ?? yarnAttentionFactor(factor, block),
      };
    }
    case 'longrope': {
      const originalMaxPositions = need('original_max_position_embeddings', original);
      const shortFactor = need('short_factor', block.short_factor);
      const longFactor = need('long_factor', block.long_factor);
      for (const [field, list] of Object.entries({ short_factor: shortFactor, long_factor: longFactor })) {
        if (list.length !== width / 2) refuse(`${field}: expected ${width / 2} numbers, got ${list.length}`);
      }
      const stretch = block.factor ?? c.max_position_embeddings / originalMaxPositions;
      const attentionFactor =
        stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(originalMaxPositions));
      return {
        kind,
        shortFactor,
        longFactor,
        originalMaxPositions,
        attentionFactor: block.attention_factor ?? attentionFactor,
      };
    }
    default:
      return refuse(`rope type "${named}" is not supported`, `Supported: ${SCALINGS.join(', ')}.`);
  }
}

/** 0.1 ln s + 1, or the ratio of two such numbers where `mscale` and `mscale_all_dim` are given. */
function yarnAttentionFactor(factor: number, { mscale, mscale_all_dim }: RopeFields): number {
  const scale = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? scale(mscale) / scale(mscale_all_dim) : scale(1);
}
