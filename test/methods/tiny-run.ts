/**
 * The golden set's tiny llama under one method: one prefill per engine, then as many plans, caches and continuations as
 * a test likes. Caches are float32.
 */
import { sumBytes } from '../../src/cache/bytes.js';
import { shiftsOf } from '../../src/cache/plan.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import type { LayerCache, LayerPlan, LayerTrace, Observation } from '../../src/cache/types.js';
import type { Engine } from '../../src/engine/types.js';
import { openKernels } from '../../src/kernels/index.js';
import { planLayer } from '../support/planning.js';
import type { Method, MethodStep } from '../../src/methods/types.js';
import { logitsAfter } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { readGolden } from '../golden/support.js';
import { loadTinyModel } from '../support/tiny-model.js';
import { tinyFactors } from './tiny-factors.js';

export type Registry = ReadonlyMap<string, Method>;

const { context_ids: PROMPT, suffix_ids: SUFFIX } = readGolden('llama');

/** Steps from a spec's own words, defaults filled in. */
export function stepsFrom(
  registry: Registry,
  written: readonly (readonly [string, Readonly<Record<string, unknown>>])[],
): MethodStep[] {
  return written.map(([method, params]) => ({
    method,
    params: registry.get(method)!.params.parse(params) as Record<string, unknown>,
  }));
}

export class TinyRun {
  private readonly kernels = openKernels();

  private readonly variants = new Map<number, TinyRun>();

  private constructor(
    private readonly model: Transformer,
    /** One per layer. */
    readonly traces: readonly LayerTrace[],
    private readonly registry: Registry,
    private readonly observations: readonly Observation[],
  ) {}

  /** Prefills the prompt of 200 tokens. */
  static async open(
    engine: Engine,
    registry: Registry,
    observations: readonly Observation[],
  ): Promise<TinyRun> {
    return TinyRun.prefilled(loadTinyModel(engine), registry, observations);
  }

  private static async prefilled(
    model: Transformer,
    registry: Registry,
    observations: readonly Observation[],
  ): Promise<TinyRun> {
    const traces: LayerTrace[] = [];
    await prefill(model, { ids: PROMPT, observations, onLayer: (trace) => void traces.push(trace) });
    return new TinyRun(model, traces, registry, observations);
  }

  /** The run that such steps need: this one, or one on low-rank weights with their `ratio`. */
  async for(steps: readonly MethodStep[]): Promise<TinyRun> {
    const changing = steps.find(({ method }) => this.registry.get(method)!.axis === 'rank');
    return changing === undefined ? this : this.onFactors(changing.params['ratio'] as number);
  }

  /** On low-rank weights without `ratio` of their rank. */
  async onFactors(ratio: number): Promise<TinyRun> {
    let variant = this.variants.get(ratio);
    if (variant === undefined) {
      const model = this.model.withFactors(tinyFactors(this.model.config, ratio));
      variant = await TinyRun.prefilled(model, this.registry, this.observations);
      this.variants.set(ratio, variant);
    }
    return variant;
  }

  dispose(): void {
    for (const variant of this.variants.values()) variant.dispose();
    this.model.dispose();
  }

  /** One plan per layer. */
  plan(steps: readonly MethodStep[]): LayerPlan[] {
    return this.traces.map((trace) => planLayer(trace, steps, this.registry));
  }

  /** What `use` makes of the caches, one per layer; they are freed afterwards. */
  withCaches<T>(steps: readonly MethodStep[], use: (caches: readonly LayerCache[]) => T): T {
    const caches = this.plan(steps).map((plan, layer) =>
      encodeLayer(this.traces[layer]!, plan, 'float32', this.kernels),
    );
    try {
      return use(caches);
    } finally {
      for (const cache of caches) cache.free();
    }
  }

  /** Logits after the five tokens that follow the prompt, `[V]`. */
  logits(steps: readonly MethodStep[]): Float32Array {
    return this.withCaches(steps, (caches) => this.decode(caches, steps));
  }

  /** Bytes that the caches hold once the five tokens have been decoded, theirs included. */
  bytes(steps: readonly MethodStep[]): number {
    return this.withCaches(steps, (caches) => {
      this.decode(caches, steps);
      return caches.reduce((sum, cache) => sum + sumBytes(cache.bytes()) + cache.tailBytes(), 0);
    });
  }

  private decode(caches: readonly LayerCache[], steps: readonly MethodStep[]): Float32Array {
    const shifts = shiftsOf(this.plan(steps), PROMPT.length);
    return logitsAfter(this.model, [{ caches, position: PROMPT.length, shifts }], [SUFFIX])[0]!;
  }
}
