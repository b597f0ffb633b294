/**
 * What a loaded model directory or file gives: configuration, weights, tokenizer, chat template.
 *
 * Weights go by one set of names (`tensor-names.ts`) whatever file they came from, matrices as `[out, in]`, so that what
 * computes sees neither formats nor architectures.
 */

import type { PackedWeights, RowSpan } from './packed-weights.js';

/** How the angles of RoPE differ from θ^(−2j/width); names and formulas as in transformers. */
export type RopeScaling =
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    }
  | { readonly kind: 'linear'; readonly factor: number }
  /** θ grows with the length once that exceeds `originalMaxPositions`. */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly originalMaxPositions: number }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalMaxPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      /** Times cosine and sine. */
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'longrope';
      /** Divisors of the angles, `[width/2]`: up to `originalMaxPositions` tokens, and beyond. */
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly originalMaxPositions: number;
      /** Times cosine and sine. */
      readonly attentionFactor: number;
    };

/** Rotary position embedding of one layer. */
export interface Rope {
  readonly theta: number;
  /** Rotated channels of a head, the first ones; even, at most D. */
  readonly width: number;
  /** Which channels form a pair: j and j + width/2, or 2j and 2j + 1. */
  readonly pairing: 'half' | 'interleaved';
  readonly scaling: RopeScaling | undefined;
}

/** Where norms stand in a layer; what is not there passes unchanged. */
export interface NormPlaces {
  /** Before and after attention. */
  readonly attentionIn: boolean;
  readonly attentionOut: boolean;
  /** Before and after the MLP. */
  readonly mlpIn: boolean;
  readonly mlpOut: boolean;
}

export type Activation = 'silu' | 'gelu' | 'gelu_tanh';

/** A mixture of experts in place of the MLP. */
export interface Experts {
  readonly count: number;
  /** Experts that a token goes through. */
  readonly perToken: number;
  /** Width of one expert. */
  readonly width: number;
  /** Whether the weights of the chosen experts are divided by their sum. */
  readonly normalised: boolean;
  /** Per layer: true where it has experts, false where it has an MLP. */
  readonly layers: readonly boolean[];
}

/** What an architecture decides: the forward pass reads these and knows no architecture by name. */
export interface BlockFacts {
  readonly norm: {
    /** RMS: x/√(mean x² + ε) · w; layer: (x − mean)/√(var + ε) · w + b. */
    readonly kind: 'rms' | 'layer';
    /** The stored weight is w − 1. */
    readonly plusOne: boolean;
    readonly bias: boolean;
  };
  readonly places: NormPlaces;
  /** Attention and MLP both read the layer's input; without `places.mlpIn` the MLP reads what attention reads. */
  readonly parallel: boolean;
  /** RMS norm of queries and keys before RoPE: of each head, or over all heads at once. */
  readonly headNorm: 'none' | 'head' | 'whole';
  readonly activation: Activation;
  /** down(act(gate x) · up x), else down(act(up x)). */
  readonly gated: boolean;
  readonly biases: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Per layer; undefined: queries and keys are not rotated. */
  readonly ropes: readonly (Rope | undefined)[];
  /** W per layer: a query sees itself and the W − 1 positions before it; undefined: all. */
  readonly windows: readonly (number | undefined)[];
  /** q·k is multiplied by it. */
  readonly attentionScale: number;
  /** c · tanh(x/c) of the scaled q·k, and of the logits. */
  readonly attentionSoftCap: number | undefined;
  readonly logitSoftCap: number | undefined;
  readonly embeddingScale: number;
  /** Times what attention and MLP add to the residual. */
  readonly residualScale: number;
  readonly logitScale: number;
  readonly experts: Experts | undefined;
}

export interface ModelConfig extends BlockFacts {
  /** `model_type`, for messages and digests. */
  readonly architecture: string;
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
  /** F, width of the MLP */
  readonly intermediate: number;
  /** V */
  readonly vocabulary: number;
  readonly normEps: number;
  readonly tiedHead: boolean;
  readonly maxPositions: number;
  /** Ids that end generation. */
  readonly eosIds: readonly number[];
  readonly bosId: number | undefined;
}

/** Named tensors of a model file; reading is lazy and bounds-checked. */
export interface WeightSource {
  readonly names: readonly string[];
  shape(name: string): readonly number[];
  /** The tensor as float32, row-major, `[out, in]` for matrices. The caller may change it. */
  read(name: string): Float32Array;
  /**
   * The tensor in the form in which the file has it, a vector as one row.
   *
   * @param rows only these rows; default all. Of a tensor that is not finite in float16 some rows may be f32, others f16.
   * @throws UserError where the file was changed or cut, or holds a scale that is no finite number
   */
  packed(name: string, rows?: RowSpan): PackedWeights;
  /** Bytes of what `packed` gives, known without reading; where not given, four for each number. */
  packedBytes?(name: string): number;
  /** What the file itself calls a tensor, where that is another name. */
  nameInFile?(name: string): string;
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
  /** Text of the token that begins a sequence; empty where the tokenizer's settings name none. */
  readonly bos?: string | undefined;
  /** Id of the end token that the tokenizer's own settings name; undefined where they name none. */
  readonly eosId?: number | undefined;
  /** That one, and the control tokens that are known to end an answer by their text. */
  readonly endIds?: readonly number[] | undefined;
  /** Texts of the tokens that it does not print: ends of turns and the like. */
  readonly controls?: readonly string[] | undefined;
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
  /** What a user should know of these files, a line each. */
  readonly notes?: readonly string[] | undefined;
}
