/**
 * SparK's saliency: what each channel of a key adds to the logits of the window's queries (arXiv 2508.15212, 4.2).
 *
 * Selection and recovery both read it, so it stands in one place, with its inverse.
 */
import type { LayerTrace } from '../../cache/types.js';
import { observed, windowQueries } from '../observations.js';

export interface SaliencyParams {
  readonly window: number;
  readonly saliency: 'released' | 'paper';
  readonly reduce: 'l2' | 'mean';
}

/** w of the keys of one KV head: a_j·k_tj² as released, a_j·|k_tj| in the paper. */
export class Saliency {
  /** `[D]`: an entry of saliency w in channel j has the size `root(w) · channel[j]`; 0 where no query asks for j. */
  readonly channel: Float32Array;
  /** a, `[D]` */
  private readonly demand: Float64Array;
  private readonly squared: boolean;

  constructor(
    private readonly trace: LayerTrace,
    params: SaliencyParams,
    private readonly head: number,
  ) {
    this.demand = queryDemand(trace, params, head);
    this.squared = params.saliency === 'released';
    this.channel = Float32Array.from(this.demand, (a) => (a === 0 ? 0 : 1 / this.root(a)));
  }

  /** w of the key at a position → `out [D]`; returns their sum. */
  of(position: number, out: Float32Array): number {
    const { headDim: D, keys, length } = this.trace;
    const { demand, squared } = this;
    const row = (this.head * length + position) * D;
    let sum = 0;
    for (let j = 0; j < D; j++) {
      const key = keys[row + j]!;
      const w = demand[j]! * (squared ? key * key : Math.abs(key));
      out[j] = w;
      sum += w;
    }
    return sum;
  }

  /** Size of an entry of saliency w, but for its channel. */
  root(w: number): number {
    return this.squared ? Math.sqrt(w) : w;
  }
}

/** a: what the window's queries, averaged over the group, ask of each channel of KV head h; `[D]`. */
function queryDemand(trace: LayerTrace, { window, reduce }: SaliencyParams, h: number): Float64Array {
  const { heads, kvHeads, headDim: D } = trace;
  const group = heads / kvHeads;
  const queries = observed(trace, windowQueries(window)); // [H, w, D]
  const rows = queries.length / heads / D; // w
  const demand = new Float64Array(D);
  for (let u = 0; u < rows; u++) {
    for (let j = 0; j < D; j++) {
      let sum = 0;
      for (let g = 0; g < group; g++) sum += queries[((h * group + g) * rows + u) * D + j]!;
      demand[j]! += reduce === 'l2' ? (sum / group) ** 2 : sum / group;
    }
  }
  return demand.map((x) => (reduce === 'l2' ? Math.sqrt(x) : Math.abs(x) / rows));
}
