/**
 * The weights of one decoder-only transformer on an engine, and the parts of a layer that work on rows.
 *
 * What differs between architectures are facts of the configuration; how rows attend is not known here.
 * Alphabet: R rows, E model width, H query heads, KV key/value heads, D head width, V vocabulary.
 */
import type { Engine, Ops, Tensor } from '../engine/types.js';
import { tensorsOf, type LayerWeights, type Norm } from './layer-weights.js';
import { loadLayer, loadOuter, type OuterWeights } from './load-layers.js';
import { checkFactors, withLowRank, type LowRankFactors } from './low-rank.js';
import { expertsOutput, mlpOutput, withBias } from './mlp.js';
import { Rotations } from './rope.js';
import type { ModelConfig, ModelFiles } from '../checkpoint/types.js';

export class Transformer {
  readonly ops: Ops;
  readonly rotations: Rotations;

  private constructor(
    readonly engine: Engine,
    readonly config: ModelConfig,
    readonly layers: readonly LayerWeights[],
    private readonly outer: OuterWeights,
    /** What `dispose` gives back: all of it, or what another weight set does not share. */
    private readonly owned: readonly Tensor[],
  ) {
    this.ops = engine.ops;
    this.rotations = new Rotations(config);
  }

  /** Copies all weights to the engine, layer by layer. */
  static load(engine: Engine, files: Pick<ModelFiles, 'config' | 'weights'>): Transformer {
    const { config, weights } = files;
    const { ops } = engine;
    const layers = Array.from({ length: config.layers }, (_, i) => loadLayer(ops, config, weights, i));
    const outer = loadOuter(ops, config, weights);
    const { weight, bias } = outer.finalNorm;
    const owned = [...layers.flatMap(tensorsOf), weight, ...(bias === undefined ? [] : [bias]), outer.head];
    return new Transformer(engine, config, layers, outer, owned);
  }

  /**
   * The same model with low-rank key and value projections. It shares every other weight with this one, which must
   * outlive it. Throws Error where the factors do not fit.
   */
  withFactors(factors: LowRankFactors): Transformer {
    const { engine, config, outer } = this;
    checkFactors(config, factors);
    const layers = this.layers.map((layer, i) => withLowRank(engine.ops, config, layer, factors.layers[i]!));
    const owned = layers.flatMap(({ qkv, lowRank }) => [qkv, lowRank!.down]);
    return new Transformer(engine, config, layers, outer, owned);
  }

  /** Embeddings of ids, `[ids.length, E]`, padded with zero rows up to `rows`. */
  embed(ids: readonly number[], rows: number = ids.length): Tensor {
    const { hidden, embeddingScale } = this.config;
    const { embedding } = this.outer;
    const x = new Float32Array(rows * hidden);
    ids.forEach((id, r) => {
      x.set(embedding.subarray(id * hidden, (id + 1) * hidden), r * hidden);
    });
    if (embeddingScale !== 1) for (let i = 0; i < x.length; i++) x[i]! *= embeddingScale;
    return this.ops.fromHost(x, [rows, hidden]);
  }

  /** What a layer's projections are given, x̂ `[R, E]`. */
  normInput(layer: LayerWeights, x: Tensor): Tensor {
    return this.norm(layer.attentionNorm, x);
  }

  /** `x [R, E]` → q|k|v before RoPE and before norms of single heads, `[R, (H + 2·KV)·D]`. */
  project(layer: LayerWeights, x: Tensor): Tensor {
    const { ops, config } = this;
    const joined = withBias(ops, ops.matMul(this.normInput(layer, x), layer.qkv), layer.qkvBias);
    if (config.headNorm !== 'whole') return joined;
    const R = x.shape[0];
    const [queries, keys] = [config.heads * config.headDim, config.kvHeads * config.headDim];
    const part = (from: number, width: number): Tensor => ops.slice(joined, [0, from], [R, width]);
    return ops.concat(
      [
        ops.rmsNorm(part(0, queries), layer.queryNorm!, config.normEps),
        ops.rmsNorm(part(queries, keys), layer.keyNorm!, config.normEps),
        part(queries + keys, keys),
      ],
      1,
    );
  }

  /** Norms of single heads on any `[.., D]` tensor of query or key heads; the identity where the model has none. */
  normHeads(x: Tensor, weight: Tensor | undefined): Tensor {
    return this.config.headNorm === 'head' ? this.ops.rmsNorm(x, weight!, this.config.normEps) : x;
  }

  /** `x [R, E]`, attention output `[R, H·D]` → the layer's output `[R, E]`. */
  finish(layer: LayerWeights, x: Tensor, attended: Tensor): Tensor {
    const { ops } = this;
    const projected = withBias(ops, ops.matMul(attended, layer.output), layer.outputBias);
    const residual = ops.add(x, this.norm(layer.attentionOutNorm, projected)); // [R, E]
    const read = this.config.parallel
      ? this.norm(layer.mlpNorm ?? layer.attentionNorm, x)
      : this.norm(layer.mlpNorm, residual);
    return ops.add(residual, this.norm(layer.mlpOutNorm, this.behindAttention(layer, read)));
  }

  /** `x [R, E]` → logits `[R, V]`. */
  logits(x: Tensor): Tensor {
    const { ops, config, outer } = this;
    const logits = ops.matMul(this.norm(outer.finalNorm, x), outer.head);
    return config.logitSoftCap === undefined ? logits : ops.softCap(logits, config.logitSoftCap);
  }

  dispose(): void {
    this.ops.dispose(...this.owned);
  }

  private behindAttention({ mlp }: LayerWeights, x: Tensor): Tensor {
    const { engine, ops, config } = this;
    return 'experts' in mlp
      ? expertsOutput(engine, mlp, config.experts!, config.activation, x)
      : mlpOutput(ops, mlp, config.activation, x);
  }

  private norm(norm: Norm | undefined, x: Tensor): Tensor {
    const { ops, config } = this;
    if (norm === undefined) return x;
    if (config.norm.kind === 'rms') return ops.rmsNorm(x, norm.weight, config.normEps);
    return withBias(ops, ops.layerNorm(x, norm.weight, config.normEps), norm.bias);
  }
}
