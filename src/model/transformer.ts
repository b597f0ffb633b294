/**
 * The weights of one decoder-only transformer, and the parts of a layer that work on rows of a prefill.
 *
 * Weights lie in the kernels' memory as the file has them. A prefill opens one layer after the other on its engine; decoding
 * reads the rows where they are. What differs between architectures are facts of the configuration.
 * Alphabet: R rows, E model width, H query heads, KV key/value heads, D head width, V vocabulary.
 */
import { Crew } from '../kernels/crew.js';
import type { KernelMemory } from '../kernels/memory.js';
import type { Engine, Ops, Tensor } from '../engine/types.js';
import { hostBuilder, tensorBuilder, type HostVector } from './build-layers.js';
import type { HostHead, HostLayer } from './host-layer.js';
import { tensorsOf, type LayerWeights, type LowRankLayer, type Norm } from './layer-weights.js';
import { loadLayer, loadNorm } from './load-layers.js';
import { checkFactors, rebuiltProjections, upProjections, type LowRankFactors } from './low-rank.js';
import { expertsOutput, mlpOutput, withBias } from './mlp.js';
import { Rotations } from './rope.js';
import type { ModelConfig, ModelFiles } from '../checkpoint/types.js';
import { WeightStore } from './weight-store.js';

const EMBEDDING = 'model.embed_tokens.weight';

/** A layer where it is decoded. */
interface LayerAtHome {
  readonly memory: KernelMemory;
  readonly parts: HostLayer;
}

interface HeadAtHome extends HostHead {
  readonly memory: KernelMemory;
}

type LowRankParts = Omit<LowRankLayer, 'down'> & { readonly down: Float32Array };

export class Transformer {
  readonly ops: Ops;
  readonly crew: Crew;
  readonly rotations: Rotations;
  readonly hostLayers: readonly LayerAtHome[];
  readonly head: HeadAtHome;
  /** Given back by `dispose`, beside the store. */
  private readonly vectors: HostVector[] = [];

  private constructor(
    readonly engine: Engine,
    readonly config: ModelConfig,
    private readonly store: WeightStore,
    /** By layer, where keys and values have latents. */
    private readonly lowRank: readonly LowRankParts[] | undefined,
  ) {
    this.ops = engine.ops;
    this.crew = store.crew;
    this.rotations = new Rotations(config);
    const build = hostBuilder(store, (vector) => this.vectors.push(vector));
    this.hostLayers = Array.from({ length: config.layers }, (_, layer) => {
      const parts = loadLayer(build, config, layer);
      return { memory: parts.output[0]!.matrix.memory, parts };
    });
    const matrix = build.matrix([
      { name: config.tiedHead ? EMBEDDING : 'lm_head.weight', by: config.logitScale },
    ]);
    const { memory } = matrix[0]!.matrix;
    const near = hostBuilder(store, (vector) => this.vectors.push(vector), memory);
    this.head = { memory, matrix, norm: loadNorm(near, config, 'model.norm') };
  }

  /** Copies all weights into the kernels' memory, as they are. */
  static load(
    engine: Engine,
    { config, weights }: Pick<ModelFiles, 'config' | 'weights'>,
    crew: Crew = Crew.alone(),
  ): Transformer {
    return new Transformer(engine, config, WeightStore.load(crew, weights), undefined);
  }

  /**
   * The same model with low-rank key and value projections. It shares every other weight with this one, which must
   * outlive it. Throws Error where the factors do not fit.
   */
  withFactors(factors: LowRankFactors): Transformer {
    const { engine, config, store } = this;
    checkFactors(config, factors);
    const rebuilt = new Map<string, Float32Array>();
    const parts = factors.layers.map((layer, i): LowRankParts => {
      const place = `model.layers.${i}.self_attn`;
      for (const [name, side] of [
        ['k_proj', layer.keys],
        ['v_proj', layer.values],
      ] as const) {
        rebuilt.set(`${place}.${name}.weight`, rebuiltProjections(engine.ops, config, side));
      }
      const bias = config.biases.qkv
        ? ['q_proj', 'k_proj', 'v_proj'].flatMap((name) => [...store.read(`${place}.${name}.bias`)])
        : undefined;
      return upProjections(config, layer, bias && Float32Array.from(bias));
    });
    return new Transformer(engine, config, store.with(rebuilt), parts);
  }

  /** A layer on the engine. The caller closes it. */
  openLayer(index: number): LayerWeights {
    const { ops, config, store, lowRank } = this;
    const layer = loadLayer(tensorBuilder(ops, store), config, index);
    const latent = lowRank?.[index];
    if (latent === undefined) return { ...layer, lowRank: undefined };
    const { down, ...ups } = latent;
    return {
      ...layer,
      lowRank: { ...ups, down: ops.fromHost(down, [config.hidden, down.length / config.hidden]) },
    };
  }

  closeLayer(layer: LayerWeights): void {
    this.ops.dispose(...tensorsOf(layer), ...(layer.lowRank === undefined ? [] : [layer.lowRank.down]));
  }

  /** Embeddings of ids, `[ids.length, E]`. */
  embed(ids: readonly number[]): Tensor {
    return this.ops.fromHost(this.embedRows(ids), [ids.length, this.config.hidden]);
  }

  /** The same on the host. */
  embedRows(ids: readonly number[]): Float32Array {
    const { hidden, embeddingScale } = this.config;
    const x = new Float32Array(ids.length * hidden);
    ids.forEach((id, r) => {
      x.set(this.store.read(EMBEDDING, id, id + 1), r * hidden);
    });
    if (embeddingScale !== 1) for (let i = 0; i < x.length; i++) x[i]! *= embeddingScale;
    return x;
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

  /** What turns `x [R, E]` into logits `[R, V]` on the engine, and what it holds until it is disposed of. */
  openHead(): { readonly logits: (x: Tensor) => Tensor; readonly owned: readonly Tensor[] } {
    const { ops, config, store } = this;
    const build = tensorBuilder(ops, store);
    const norm = loadNorm(build, config, 'model.norm');
    const name = config.tiedHead ? EMBEDDING : 'lm_head.weight';
    const matrix = build.matrix([{ name, by: config.logitScale }]);
    return {
      logits: (x) => {
        const logits = ops.matMul(this.norm(norm, x), matrix);
        return config.logitSoftCap === undefined ? logits : ops.softCap(logits, config.logitSoftCap);
      },
      owned: [matrix, norm.weight, ...(norm.bias === undefined ? [] : [norm.bias])],
    };
  }

  dispose(): void {
    for (const { memory, at } of this.vectors) memory.free(at);
    this.vectors.length = 0;
    this.store.free();
  }

  private behindAttention({ mlp }: LayerWeights, x: Tensor): Tensor {
    const { ops, config } = this;
    return 'experts' in mlp
      ? expertsOutput(ops, mlp, config.experts!, config.activation, x)
      : mlpOutput(ops, mlp, config.activation, x);
  }

  private norm(norm: Norm | undefined, x: Tensor): Tensor {
    const { ops, config } = this;
    if (norm === undefined) return x;
    if (config.norm.kind === 'rms') return ops.rmsNorm(x, norm.weight, config.normEps);
    return withBias(ops, ops.layerNorm(x, norm.weight, config.normEps), norm.bias);
  }
}
