/**
 * What a compression method is: a named, documented refinement of a layer plan, on one of four axes.
 *
 * A method says what shall be stored and touches no storage, engine or other method, so that whatever it asks for is packed,
 * counted and attended to by the same code. Fields may be added to these types, but none changes its meaning.
 */
import type * as z from 'zod';
import type { LayerPlan, LayerTrace, Observation } from '../cache/types.js';

/** In the order in which they make sense: positions, channels, low rank, bits. */
export type Axis = 'token' | 'channel' | 'rank' | 'precision';

/** Of a layer's cache. */
export type Side = 'keys' | 'values';

/** What methods of all axes say. Each function is pure: the same arguments give the same answer. */
export interface MethodOfAnyAxis<P = unknown> {
  /** As a spec names it: small letters, digits, `_`. */
  readonly name: string;
  /** One line for `list methods`. */
  readonly summary: string;
  readonly paper: string;
  /** What is stored, in words. */
  readonly stores: string;
  /** Where the published code and the paper differ, and what is built here. */
  readonly notes: readonly string[];
  /** Strict object; each field has `.describe()` (with unit and range) and a default where it has one. */
  readonly params: z.ZodType<P>;
  /** The parameters that set how much is stored, the first one the usual: `ratio`, `budget`, `bits`. */
  readonly sizedBy: readonly string[];
  /** What the method wants measured while the prompt is prefilled. */
  observes(params: P): readonly Observation[];
  /**
   * Refines what the steps before have planned for a layer, after its attention over the whole prompt.
   *
   * @param trace the layer; `trace.once` computes what several pipelines need of it once
   * @param plan what is stored without this step; it must not be changed
   * @throws UserError where the method cannot refine this plan
   */
  plan(trace: LayerTrace, params: P, plan: LayerPlan): LayerPlan | Promise<LayerPlan>;
  /** True where the parameters ask for exactly nothing on this layer (ratio 0, budget ≥ length). */
  asksForNothing(trace: LayerTrace, params: P, plan: LayerPlan): boolean;
  /** Layers that the parameters name, counted from 0. */
  layers?(params: P): readonly number[];
  /** The parameter that holds those of another method, where there is one. */
  readonly nested?: NestedParams;
}

/** Which positions stay, per KV head. */
export interface TokenMethod<P = unknown> extends MethodOfAnyAxis<P> {
  readonly axis: 'token';
  /** True where tokens go while decoding; then nothing but eviction can stand beside it. */
  evictsWhileDecoding?(params: P): boolean;
  /** The sides whose kept entries are replaced by others (merged values, moved keys): no step behind it may choose among them. */
  rewrites?(params: P): readonly Side[];
}

/** Which channels of the kept keys and values stay. */
export interface ChannelMethod<P = unknown> extends MethodOfAnyAxis<P> {
  readonly axis: 'channel';
  /** The sides whose channels go under these parameters. */
  prunes(params: P): readonly Side[];
}

/** Low-rank latents in place of keys and values. */
export interface RankMethod<P = unknown> extends MethodOfAnyAxis<P> {
  readonly axis: 'rank';
  /** The weights that the method runs on. */
  weights(params: P): WeightsRequest;
}

/** Bits of what is left. */
export interface PrecisionMethod<P = unknown> extends MethodOfAnyAxis<P> {
  readonly axis: 'precision';
}

/** `axis` tells which. */
export type Method<P = unknown> = TokenMethod<P> | ChannelMethod<P> | RankMethod<P> | PrecisionMethod<P>;

/** A parameter whose own fields depend on the parameters beside it, which name the method that they belong to. */
export interface NestedParams {
  readonly key: string;
  /** The schema of the field, undefined where the parameters beside it name no method. */
  schema(params: Readonly<Record<string, unknown>>): z.ZodType | undefined;
}

/** Changed weights; pipelines with equal requests share a prefill of their own. */
export interface WeightsRequest {
  readonly kind: 'recalkv';
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * What any step may be given beside its method's parameters: `layers: all` lets it act on layers that slide beside full
 * ones, which are left alone else.
 */
export const LAYERS = 'layers';
export const ALL_LAYERS = 'all';

/** One step of a pipeline: a method and its validated parameters (defaults filled in). */
export interface MethodStep {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A cache pipeline as the spec names it; `full` has no steps. */
export interface Pipeline {
  /** Canonical label, e.g. `snapkv(budget=256)+spark(ratio=0.8)`; only parameters that differ from the defaults. */
  readonly label: string;
  readonly steps: readonly MethodStep[];
}
