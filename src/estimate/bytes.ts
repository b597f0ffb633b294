/**
 * Bytes that each pipeline will store of a prompt, before any model runs.
 *
 * Long prompts are packed at three shorter lengths: what grows along a straight line is read off it, what does not is
 * packed in full.
 */
import { sumBytes } from '../cache/bytes.js';
import type { ByteParts, CacheDtype } from '../cache/types.js';
import { UserError } from '../base/errors.js';
import type { Kernels } from '../kernels/index.js';
import { observationsOf } from '../methods/pipeline.js';
import type { Method, Pipeline } from '../methods/types.js';
import { weightsRequestOf } from '../methods/weight-sets.js';
import { type BytesEstimate, type Packing, packerOf } from './packed-layers.js';
import type { TraceShape } from './trace.js';

export interface PipelineBytes {
  readonly pipeline: string;
  /** Undefined where the pipeline stores latents, whose ranks only a calibration gives. */
  readonly estimate: BytesEstimate | undefined;
}

/** What packing a pipeline takes beside the shape. */
export interface PackingContext {
  /** Those that the pipelines name, at least. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly dtype: CacheDtype;
  readonly kernels: Kernels;
}

type Packer = (pipeline: Pipeline) => Promise<BytesEstimate>;

/** Tokens between two of the shorter lengths. */
const STEP = 2048;
/** Prompts up to here cost less than the shorter lengths together. */
const LONG = 7 * STEP;
/** Share of the bytes by which a line may be missed: tokens that are kept are whole. */
const STRAIGHT = 0.002;
/** Blocks of fewer tokens than this do not matter. */
const SMALL = 32;

/**
 * One entry per pipeline, of a prompt of `length` tokens: exact where it is short, to about half a percent where it is
 * long.
 *
 * @throws UserError naming the pipeline, where it cannot compress such a prompt
 */
export async function estimateBytes(
  shape: TraceShape,
  length: number,
  pipelines: readonly Pipeline[],
  { methods, dtype, kernels }: PackingContext,
): Promise<PipelineBytes[]> {
  const latents = pipelines.filter(({ steps }) => weightsRequestOf(steps, methods) !== undefined);
  const dry = pipelines.filter((pipeline) => !latents.includes(pipeline));
  const packing = { shape, observations: observationsOf(dry, methods), methods, dtype, kernels };
  const whole = lazily(packing, length);
  const packed = length > LONG ? extended(packing, length, whole) : whole;
  const estimates: PipelineBytes[] = [];
  for (const pipeline of pipelines) {
    const estimate = latents.includes(pipeline) ? undefined : await packed(pipeline);
    estimates.push({ pipeline: pipeline.label, estimate });
  }
  return estimates;
}

/** Random numbers are only drawn for a length that a pipeline is packed at. */
function lazily(packing: Packing, length: number): Packer {
  let packer: Packer | undefined;
  return (pipeline) => {
    packer ??= packerOf(packing, length);
    return packer(pipeline);
  };
}

/** Reads a long prompt off a line through shorter ones, whose lengths differ from its own by whole steps. */
function extended(packing: Packing, length: number, whole: Packer): Packer {
  const shortest = STEP + (length % STEP);
  const after = (step: number): Packer => lazily(packing, shortest + step * STEP);
  const shorter = [after(0), after(1), after(2)] as const;
  const steps = (length - shortest) / STEP;
  return async (pipeline) => {
    if (pipeline.steps.some(({ params }) => mayBend(params))) return whole(pipeline);
    try {
      const a = await shorter[0](pipeline);
      const b = await shorter[1](pipeline);
      const c = await shorter[2](pipeline);
      const bend = Math.abs(a.storedBytes - 2 * b.storedBytes + c.storedBytes);
      return bend > STRAIGHT * c.storedBytes ? await whole(pipeline) : along(a, c, steps / 2);
    } catch (error) {
      // Fewer tokens may be too few for what a pipeline asks.
      if (error instanceof UserError) return await whole(pipeline);
      throw error;
    }
  };
}

/**
 * Whether a parameter may be a number of tokens that makes steps where the shorter lengths do not see them: a block that
 * does not fall together with them, or a budget.
 */
function mayBend(params: unknown): boolean {
  if (typeof params === 'object' && params !== null) return Object.values(params).some(mayBend);
  return typeof params === 'number' && Number.isInteger(params) && params >= SMALL && STEP % params !== 0;
}

/** From `a`, as many times the way to `c`. */
function along(a: BytesEstimate, c: BytesEstimate, times: number): BytesEstimate {
  const at = (from: number, to: number): number => Math.round(from + times * (to - from));
  const part = (name: keyof ByteParts): number => at(a.stored[name], c.stored[name]);
  const stored = {
    value: part('value'),
    mask: part('mask'),
    sign: part('sign'),
    scale: part('scale'),
    index: part('index'),
    latent: part('latent'),
  };
  return {
    keptTokens: a.keptTokens + times * (c.keptTokens - a.keptTokens),
    stored,
    storedBytes: sumBytes(stored),
    paperBytes: at(a.paperBytes, c.paperBytes),
    fullBytes: at(a.fullBytes, c.fullBytes),
    dependsOnData: a.dependsOnData || c.dependsOnData,
  };
}
