/**
 * The op vocabulary: the tensor operations that are right and fast on every engine.
 *
 * Batched or transposed products and gathers with batch dimensions are left out on purpose: on wasm they are wrong, or
 * 10 to 500 times slower.
 */
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';

/** tfjs-core, or a package that exports all of it. */
export type TfNamespace = typeof import('@tensorflow/tfjs-core');
export type Tensor = TfTensor;
export type EngineName = 'gpu' | 'native' | 'wasm' | 'cpu';
export const ENGINE_NAMES: readonly EngineName[] = ['gpu', 'native', 'wasm', 'cpu'];

export interface Ops {
  /** Copies host data to the engine. */
  fromHost(data: Float32Array, shape: readonly number[]): Tensor;
  /** Copies a float32 tensor of any shape to the host, row-major. */
  toHost(x: Tensor): Float32Array;
  /** `[M, K] × [K, N] → [M, N]`, both row-major, not transposed. */
  matMul(a: Tensor, b: Tensor): Tensor;
  /** Elementwise with trailing-dimension broadcasting. */
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  div(a: Tensor, b: Tensor): Tensor;
  /** `x · factor`. */
  scale(x: Tensor, factor: number): Tensor;
  exp(x: Tensor): Tensor;
  /** `x / sqrt(mean(x², last axis) + eps) · weight`; `x [.., E]`, `weight [E]`. */
  rmsNorm(x: Tensor, weight: Tensor, eps: number): Tensor;
  /** `(x − mean) / sqrt(var + eps) · weight`, over the last axis; `x [.., E]`, `weight [E]`. */
  layerNorm(x: Tensor, weight: Tensor, eps: number): Tensor;
  /** `x · sigmoid(x)`. */
  silu(x: Tensor): Tensor;
  /** `x · Φ(x)`, Φ by the error function. */
  gelu(x: Tensor): Tensor;
  /** `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`. */
  geluTanh(x: Tensor): Tensor;
  /** `cap · tanh(x / cap)`. */
  softCap(x: Tensor, cap: number): Tensor;
  /** Softmax over the last axis of a 2-D tensor, max subtracted. */
  softmax(x: Tensor): Tensor;
  /** Sum over one axis, that axis removed. */
  sum(x: Tensor, axis: number): Tensor;
  square(x: Tensor): Tensor;
  /** Index of the largest entry of each row of `[M, N]`; ties go to the lower index. */
  argMax(x: Tensor): Int32Array;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  transpose(x: Tensor, permutation: readonly number[]): Tensor;
  slice(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor;
  concat(xs: readonly Tensor[], axis: number): Tensor;
  /** Rows of `[M, N]` by index. */
  gatherRows(x: Tensor, rows: Int32Array): Tensor;
  /**
   * Gradients of `Σ f(xs) · dy` by each of `xs`, in their shapes. `f` may use the operations above but for `toHost` and
   * `argMax`, and tensors from outside, which count as constants.
   */
  gradients(f: (...xs: Tensor[]) => Tensor, xs: readonly Tensor[], dy: Tensor): Tensor[];
  /** Runs `f` and disposes of every tensor made in it but those it returns. Never across an `await`. */
  tidy<T>(f: () => T): T;
  /** Keeps a tensor past the tidy that it was made in. */
  keep(x: Tensor): Tensor;
  dispose(...xs: readonly Tensor[]): void;
  numTensors(): number;
}

export interface Engine {
  readonly name: EngineName;
  readonly ops: Ops;
  /** Versions for the manifest, e.g. `{ tfjs: '4.22.0', tensorflow: '2.21.0' }`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of the kernels that decode, and on `native` of TensorFlow. */
  readonly threads: number;
  /** Whether exp() is cheaper than a softmax over the same entries: attention is then summed tile by tile. */
  readonly fastExp: boolean;
}
