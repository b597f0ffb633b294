/**
 * A layer as the prefill has it when methods observe it; also a stretch of one.
 */
import type { Tensor } from '../engine/types.js';
import type { LayerHeads } from './prefill-attention.js';
import type { Rotation } from './rope.js';
import type { RopeTensors } from './rotate.js';

/** One layer, as the prefill has it. */
export interface ObservedLayer {
  readonly heads: LayerHeads;
  /** Undefined where the layer does not rotate. */
  readonly rope: RopeTensors | undefined;
  /** `[H·D, E]`, the output projection. */
  readonly output: Tensor;
  readonly rotation: Rotation | undefined;
  /** `[(H + 2·KV)·D]`, of the projections; the queries' first. */
  readonly projectionBias: Tensor | undefined;
  /** `[H, S]`, where the layer's own attention has collected them. */
  readonly attentionSums: Float32Array | undefined;
  /** Position of the first row. */
  readonly start: number;
}
