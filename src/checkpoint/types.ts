/**
 * What a loaded model directory or file gives: configuration, weights, tokenizer, chat template.
 *
 * Decides the names: weights go by their Hugging Face names whatever file they came from, matrices as
 * `[out, in]`, query and key rows in the half-split RoPE order.
 */

export type Architecture = 'llama' | 'qwen2' | 'qwen3';

export type RopeScaling = {
  readonly kind: 'llama3';
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositions: number;
};

export interface ModelConfig {
  readonly architecture: Architecture;
  /** N */
  readonly layers: number;
  /** E */
  readonly hidden: number;
  /** H */
  readonly heads: number;
  /** KV */
  readonly kvHeads: number;
  /** D */
  readonly headDim: number;
  /** F, width of the SwiGLU */
  readonly intermediate: number;
  /** V */
  readonly vocabulary: number;
  readonly normEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | undefined;
  readonly tiedHead: boolean;
  /** q, k, v projections have biases (Qwen2; Llama with attention_bias). */
  readonly qkvBias: boolean;
  /** RMSNorm on query and key heads (Qwen3). */
  readonly qkNorm: boolean;
  readonly maxPositions: number;
  /** Ids that end generation. */
  readonly eosIds: readonly number[];
  readonly bosId: number | undefined;
}

/** Named tensors of a model file; reading is lazy and bounds-checked. */
export interface WeightSource {
  readonly names: readonly string[];
  shape(name: string): readonly number[];
  /** The tensor as float32, row-major, `[out, in]` for matrices. */
  read(name: string): Float32Array;
  close(): void;
}

export interface Tokenizer {
  /**
   * Ids of a text; special tokens written in the text are recognised.
   *
   * @param special also those that the tokenizer itself puts around a text; default false
   */
  encode(text: string, special?: boolean): number[];
  /** Text of ids, special tokens removed. */
  decode(ids: readonly number[]): string;
  /** Id of the end token that the tokenizer's own settings name; undefined where they name none. */
  readonly eosId?: number | undefined;
  /** sha256 of what the tokenizer was made from. */
  readonly digest: string;
}

export interface ChatTemplate {
  /** One user message and the generation prompt; thinking disabled where the template knows it. */
  render(userMessage: string): string;
  readonly source: string;
}

export interface ModelFiles {
  /** Catalogue name, or the path that was given. */
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate | undefined;
  /** sha256 of the weight file(s), for manifest and cell keys. */
  readonly weightsDigest: string;
}
