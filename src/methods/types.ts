/**
 * The extension point for compression methods.
 *
 * Decides what a method is: a named, documented, parametrised refinement of a layer plan. A method never
 * touches storage, the engine or another method.
 */
import type * as z from 'zod';
import type { LayerPlan, LayerTrace, Observation } from '../cache/types.js';

/** In the order in which they make sense: positions, channels, low rank, bits. */
export type Axis = 'token' | 'channel' | 'rank' | 'precision';

/** Of a layer's cache. */
export type Side = 'keys' | 'values';

export interface Method<P = unknown> {
  readonly name: string;
  readonly axis: Axis;
  /** One line for `list methods`. */
  readonly summary: string;
  readonly paper: string;
  /** What is stored, in words. */
  readonly stores: string;
  /** Where the published code and the paper differ, and what is built here. */
  readonly notes: readonly string[];
  /** Strict object; each field has `.describe()` (with unit and range) and a default where it has one. */
  readonly params: z.ZodType<P>;
  observes(params: P): readonly Observation[];
  plan(trace: LayerTrace, params: P, plan: LayerPlan): LayerPlan;
  /** True where the parameters ask for exactly nothing on this layer (ratio 0, budget ≥ length). */
  asksForNothing(trace: LayerTrace, params: P, plan: LayerPlan): boolean;
  /** True where tokens go while decoding; then nothing but eviction can stand beside it. */
  evictsWhileDecoding?(params: P): boolean;
  /** The sides whose channels go under these parameters; every method of the channel axis says so. */
  prunes?(params: P): readonly Side[];
  /** Layers that the parameters name, counted from 0. */
  layers?(params: P): readonly number[];
  /** The weights that the method runs on, where they are not the model's own (rank axis). */
  weights?(params: P): WeightsRequest;
  /** The parameter that holds those of another method, where there is one. */
  readonly nested?: NestedParams;
}

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
