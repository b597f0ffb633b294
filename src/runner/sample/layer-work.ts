/**
 * What the pipelines of a sample share of one layer: plans, packed sides, caches.
 *
 * It is made when a layer's prefill ends and dropped when the last pipeline has packed it, so that nothing of a layer stays
 * behind but the caches themselves.
 */
import { encodeLayer } from '../../cache/layer-cache.js';
import { PackedSides } from '../../cache/packed-sides.js';
import type { CacheDtype, LayerCache, LayerPlan, LayerTrace } from '../../cache/types.js';
import type { Kernels } from '../../kernels/index.js';
import { LayerPlans } from '../../methods/layer-plans.js';
import type { Method, MethodStep } from '../../methods/types.js';

/** A pipeline's cache of one layer. */
export interface PackedLayer {
  readonly plan: LayerPlan;
  readonly cache: LayerCache;
  /** The first cache of an equal plan: rows with the same origins in all layers give the same answer. */
  readonly origin: LayerCache;
}

export class LayerWork {
  private readonly plans: LayerPlans;
  private readonly sides = new PackedSides();
  /** The first cache of each plan. */
  private readonly origins = new Map<LayerPlan, LayerCache>();

  constructor(
    readonly trace: LayerTrace,
    methods: ReadonlyMap<string, Method>,
    private readonly dtype: CacheDtype,
    private readonly kernels: Kernels,
  ) {
    this.plans = new LayerPlans(trace, methods);
  }

  /**
   * Packs the layer as a pipeline plans it; the caller frees the cache.
   *
   * @throws UserError where the pipeline cannot be applied to this layer, or does not fit
   */
  async pack(steps: readonly MethodStep[]): Promise<PackedLayer> {
    const plan = await this.plans.of(steps);
    const cache = encodeLayer(this.trace, plan, this.dtype, this.kernels, this.sides);
    const origin = this.origins.get(plan) ?? cache;
    this.origins.set(plan, origin);
    return { plan, cache, origin };
  }
}
