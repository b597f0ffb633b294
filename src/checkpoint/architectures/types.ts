/**
 * What a description of an architecture holds: how its files are read, and the facts that the forward pass needs.
 */
import type { GgufMetadata } from '../gguf/metadata.js';
import type { HfConfig } from '../hf-config.js';
import type { TensorLayout } from '../tensor-layout.js';
import type { BlockFacts } from '../types.js';

export interface Architecture {
  /** `model_type` of config.json. */
  readonly name: string;
  /** Names in `architectures` of config.json that are computed as this. */
  readonly classes: readonly string[];
  /** What transformers fills in where config.json is silent. */
  readonly defaults: Partial<HfConfig>;
  /** D where config.json is silent; hidden / heads else. */
  readonly headDim?: number;
  /**
   * The facts; those that are not named are Llama's.
   *
   * @param c config.json with the defaults filled in
   * @param place the file, for errors
   */
  readonly facts: (c: HfConfig, place: string) => Partial<BlockFacts>;
  /** How tensors of a checkpoint are called. */
  readonly tensors: TensorLayout;
  /** Undefined where its files are written as those of another architecture. */
  readonly gguf?: GgufArchitecture;
}

export interface GgufArchitecture {
  /** `general.architecture`, and the prefix of its metadata keys. */
  readonly name: string;
  readonly tensors: TensorLayout;
  /** Fields of config.json that are said by metadata of this architecture, or by constants of llama.cpp. */
  readonly config?: (metadata: GgufMetadata, sizes: GgufSizes) => Partial<HfConfig>;
  /** Facts of the file that differ from those of the checkpoint. */
  readonly facts?: Partial<BlockFacts>;
}

/** What other fields follow from. */
export interface GgufSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly headDim: number;
  /** Names of the file's tensors. */
  readonly tensors: ReadonlySet<string>;
}
