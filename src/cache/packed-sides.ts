/**
 * The packed sides of one layer: what several caches would hold alike is packed once, and read by all of them.
 *
 * Pipelines that keep the same tokens hold the same values: they are packed once, and each cache counts what it reads as
 * its own.
 */
import type { Kernels } from '../kernels/index.js';
import { encodeSide, type CachedSide } from './encode/side.js';
import { PackedBuffers } from './packed-buffers.js';
import { Tail } from './rows/tail.js';
import type { CacheDtype, LayerPlan, LayerTrace, SidePlan } from './types.js';

/** A side of a cache, which must free its buffers. */
export interface StoredSide extends CachedSide {
  readonly buffers: PackedBuffers;
  /** Whether it had been packed for another cache before. */
  readonly shared: boolean;
}

type Known = Map<LayerPlan['tokens'], Map<SidePlan, StoredSide>>;

export class PackedSides {
  private readonly known: Readonly<Record<'keys' | 'values', Known>> = { keys: new Map(), values: new Map() };

  /** One side of every KV head; nothing stays allocated where it throws. All calls are of one trace. */
  take(
    trace: LayerTrace,
    name: 'keys' | 'values',
    plan: LayerPlan,
    dtype: CacheDtype,
    kernels: Kernels,
  ): StoredSide {
    const ofTokens = this.known[name].get(plan.tokens) ?? new Map<SidePlan, StoredSide>();
    this.known[name].set(plan.tokens, ofTokens);
    const found = ofTokens.get(plan[name]);
    if (found !== undefined) {
      const tail = new Tail(kernels.memory, dtype, trace.kvHeads, trace.headDim);
      return { prompt: found.prompt, tail, buffers: found.buffers.share(), shared: true };
    }
    const buffers = new PackedBuffers(kernels.memory, dtype);
    try {
      const side = { ...encodeSide(trace, name, plan, buffers, kernels), buffers, shared: false };
      if (side.tail instanceof Tail) ofTokens.set(plan[name], side);
      return side;
    } catch (error) {
      buffers.free();
      throw error;
    }
  }
}
