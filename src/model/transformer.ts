/**
 * The weights of one decoder-only transformer on an engine, and the parts of a layer that work on rows.
 *
 * Decides the layout on the engine (matrices `[in, out]`, q|k|v joined; gate|up apart, as one product of the two ran at half the speed) and the arithmetic of
 * Llama, Qwen2 and Qwen3 layers outside attention. Knows nothing of how rows attend, or of caches.
 * Alphabet: R rows, E model width, H query heads, KV key/value heads, D head width, F SwiGLU width, V vocabulary.
 */
import { concatenate } from '../base/concatenate.js';
import type { Engine, Ops, Tensor } from '../engine/types.js';
import type { LayerWeights } from './layer-weights.js';
import { checkFactors, withLowRank, type LowRankFactors } from './low-rank.js';
import { ropeFrequencies } from '../checkpoint/rope-frequencies.js';
import type { ModelConfig, ModelFiles, WeightSource } from '../checkpoint/types.js';

export class Transformer {
  readonly ops: Ops;
  /** `[D/2]` */
  readonly ropeFrequencies: Float32Array;

  private constructor(
    readonly engine: Engine,
    readonly config: ModelConfig,
    readonly layers: readonly LayerWeights[],
    private readonly finalNorm: Tensor,
    /** `[E, V]` */
    private readonly head: Tensor,
    /** `[V, E]`, on the host: a prompt needs few of its rows. */
    private readonly embedding: Float32Array,
    /** What `dispose` gives back: all of it, or what a variant does not share. */
    private readonly owned: readonly Tensor[],
  ) {
    this.ops = engine.ops;
    this.ropeFrequencies = ropeFrequencies(config);
  }

  /** Copies all weights to the engine, layer by layer. */
  static load(engine: Engine, files: Pick<ModelFiles, 'config' | 'weights'>): Transformer {
    const { config, weights } = files;
    const layers = Array.from({ length: config.layers }, (_, i) => loadLayer(engine.ops, config, weights, i));
    const embedding = weights.read('model.embed_tokens.weight');
    const head = transposed(engine.ops, config.tiedHead ? embedding : weights.read('lm_head.weight'), [
      config.vocabulary,
      config.hidden,
    ]);
    const finalNorm = vector(engine.ops, weights, 'model.norm.weight');
    const owned = [...layers.flatMap(denseTensors), finalNorm, head];
    return new Transformer(engine, config, layers, finalNorm, head, embedding, owned);
  }

  /**
   * The same model with low-rank key and value projections. It shares every other weight with this one, which must
   * outlive it. Throws Error where the factors do not fit.
   */
  withFactors(factors: LowRankFactors): Transformer {
    const { engine, config, finalNorm, head, embedding } = this;
    checkFactors(config, factors);
    const layers = this.layers.map((layer, i) => withLowRank(engine.ops, config, layer, factors.layers[i]!));
    const owned = layers.flatMap(({ qkv, lowRank }) => [qkv, lowRank!.down]);
    return new Transformer(engine, config, layers, finalNorm, head, embedding, owned);
  }

  /** Embeddings of ids, `[ids.length, E]`, padded with zero rows up to `rows`. */
  embed(ids: readonly number[], rows: number = ids.length): Tensor {
    const { hidden } = this.config;
    const x = new Float32Array(rows * hidden);
    ids.forEach((id, r) => {
      x.set(this.embedding.subarray(id * hidden, (id + 1) * hidden), r * hidden);
    });
    return this.ops.fromHost(x, [rows, hidden]);
  }

  /** What a layer's projections are given, x̂ `[R, E]`. */
  normInput(layer: LayerWeights, x: Tensor): Tensor {
    return this.ops.rmsNorm(x, layer.inputNorm, this.config.normEps);
  }

  /** `x [R, E]` → q|k|v before RoPE and before head norms, `[R, (H + 2·KV)·D]`. */
  project(layer: LayerWeights, x: Tensor): Tensor {
    const { ops } = this;
    const joined = ops.matMul(this.normInput(layer, x), layer.qkv);
    return layer.qkvBias === undefined ? joined : ops.add(joined, layer.qkvBias);
  }

  /** Head norms of Qwen3 on any `[.., D]` tensor of query or key heads; the identity elsewhere. */
  normHeads(x: Tensor, weight: Tensor | undefined): Tensor {
    return weight === undefined ? x : this.ops.rmsNorm(x, weight, this.config.normEps);
  }

  /** `x [R, E]`, attention output `[R, H·D]` → the layer's output `[R, E]`. */
  finish(layer: LayerWeights, x: Tensor, attended: Tensor): Tensor {
    const { ops } = this;
    const residual = ops.add(x, ops.matMul(attended, layer.output)); // [R, E]
    const normed = ops.rmsNorm(residual, layer.mlpNorm, this.config.normEps);
    const gate = ops.silu(ops.matMul(normed, layer.gate)); // [R, F]
    return ops.add(residual, ops.matMul(ops.mul(gate, ops.matMul(normed, layer.up)), layer.down));
  }

  /** `x [R, E]` → logits `[R, V]`. */
  logits(x: Tensor): Tensor {
    return this.ops.matMul(this.ops.rmsNorm(x, this.finalNorm, this.config.normEps), this.head);
  }

  dispose(): void {
    this.ops.dispose(...this.owned);
  }
}

function loadLayer(ops: Ops, config: ModelConfig, weights: WeightSource, index: number): LayerWeights {
  const { hidden, intermediate, headDim } = config;
  const prefix = `model.layers.${index}`;
  const attention = `${prefix}.self_attn`;
  const qkvRows = (config.heads + 2 * config.kvHeads) * headDim;
  const joined = (names: readonly string[]): Float32Array => concatenate(names.map((n) => weights.read(n)));
  const parts = ['q_proj', 'k_proj', 'v_proj'];
  return {
    inputNorm: vector(ops, weights, `${prefix}.input_layernorm.weight`),
    qkv: transposed(ops, joined(parts.map((p) => `${attention}.${p}.weight`)), [qkvRows, hidden]),
    qkvBias: config.qkvBias
      ? ops.fromHost(joined(parts.map((p) => `${attention}.${p}.bias`)), [qkvRows])
      : undefined,
    queryNorm: config.qkNorm ? vector(ops, weights, `${attention}.q_norm.weight`) : undefined,
    keyNorm: config.qkNorm ? vector(ops, weights, `${attention}.k_norm.weight`) : undefined,
    output: transposed(ops, weights.read(`${attention}.o_proj.weight`), [hidden, config.heads * headDim]),
    mlpNorm: vector(ops, weights, `${prefix}.post_attention_layernorm.weight`),
    gate: transposed(ops, weights.read(`${prefix}.mlp.gate_proj.weight`), [intermediate, hidden]),
    up: transposed(ops, weights.read(`${prefix}.mlp.up_proj.weight`), [intermediate, hidden]),
    down: transposed(ops, weights.read(`${prefix}.mlp.down_proj.weight`), [hidden, intermediate]),
    lowRank: undefined,
  };
}

/** What a layer of the model's own holds on the engine. */
function denseTensors(layer: LayerWeights): Tensor[] {
  return Object.values({ ...layer, lowRank: undefined }).filter((tensor) => tensor !== undefined);
}

function vector(ops: Ops, weights: WeightSource, name: string): Tensor {
  const data = weights.read(name);
  return ops.fromHost(data, [data.length]);
}

/** `[out, in]` on the host → `[in, out]` on the engine. */
function transposed(ops: Ops, data: Float32Array, shape: readonly [number, number]): Tensor {
  return ops.tidy(() => ops.transpose(ops.fromHost(data, shape), [1, 0]));
}
