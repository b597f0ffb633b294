/**
 * Gradients of the kernels that the op vocabulary is made of.
 *
 * The same on every engine, and without transposed products, which are slow on wasm; the portable backends bring none of
 * their own.
 */
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { TfNamespace } from './types.js';

/** Of each input by name; only those that are asked for are computed. */
type InputGradients = Record<string, () => TfTensor>;
type Attributes = Readonly<Record<string, unknown>>;

const registered = new WeakSet<TfNamespace>();

/** Gradients of `Σ f(xs) · dy` by each of `xs`; see `Ops.gradients`. */
export function gradients(
  tf: TfNamespace,
  f: (...xs: TfTensor[]) => TfTensor,
  xs: readonly TfTensor[],
  dy: TfTensor,
): TfTensor[] {
  if (!registered.has(tf)) {
    registerGradients(tf);
    registered.add(tf);
  }
  return tf.grads(f)([...xs], dy);
}

function registerGradients(tf: TfNamespace): void {
  /** By the kernel's inputs, which are saved in the order of their names. */
  const byInputs = (
    kernelName: string,
    names: string[],
    gradient: (dy: TfTensor, inputs: TfTensor[], attributes: Attributes) => InputGradients,
  ): void => {
    tf.registerGradient({
      kernelName,
      inputsToSave: names,
      gradFunc: (dy, saved, attributes) => gradient(dy as TfTensor, saved, attributes),
    });
  };
  /** By the kernel's output y. */
  const byOutput = (kernelName: string, gradient: (dy: TfTensor, y: TfTensor) => InputGradients): void => {
    tf.registerGradient({
      kernelName,
      outputsToSave: [true],
      gradFunc: (dy, [y]) => gradient(dy as TfTensor, y!),
    });
  };

  byInputs('Add', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(tf, dy, a!.shape),
    b: () => sumTo(tf, dy, b!.shape),
  }));
  byInputs('Sub', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(tf, dy, a!.shape),
    b: () => sumTo(tf, tf.neg(dy), b!.shape),
  }));
  byInputs('Multiply', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(tf, tf.mul(dy, b!), a!.shape),
    b: () => sumTo(tf, tf.mul(dy, a!), b!.shape),
  }));
  byInputs('RealDiv', ['a', 'b'], (dy, [a, b]) => ({
    a: () => sumTo(tf, tf.div(dy, b!), a!.shape),
    b: () => sumTo(tf, tf.neg(tf.div(tf.mul(dy, a!), tf.square(b!))), b!.shape),
  }));
  byInputs('BatchMatMul', ['a', 'b'], (dy, [a, b]) => ({
    a: () => tf.matMul(dy, tf.transpose(b!, [1, 0])),
    b: () => tf.matMul(tf.transpose(a!, [1, 0]), dy),
  }));
  byInputs('Square', ['x'], (dy, [x]) => ({ x: () => tf.mul(tf.mul(dy, x!), 2) }));
  byInputs('Sum', ['x'], (dy, [x], { axis }) => ({ x: () => spread(tf, dy, x!.shape, axisOf(axis), 1) }));
  byInputs('Mean', ['x'], (dy, [x], { axis }) => ({
    x: () => spread(tf, dy, x!.shape, axisOf(axis), 1 / x!.shape.at(axisOf(axis))!),
  }));
  byInputs('Reshape', ['x'], (dy, [x]) => ({ x: () => tf.reshape(dy, x!.shape) }));
  byInputs('Identity', [], (dy) => ({ x: () => dy.clone() }));
  byInputs('Transpose', [], (dy, _, { perm }) => ({
    x: () => {
      const back: number[] = [];
      (perm as number[]).forEach((from, to) => (back[from] = to));
      return tf.transpose(dy, back);
    },
  }));
  byInputs('Slice', ['x'], (dy, [x], { begin }) => ({
    x: () => {
      const before = begin as number[];
      return tf.pad(
        dy,
        x!.shape.map((size, a): [number, number] => [before[a]!, size - before[a]! - dy.shape[a]!]),
      );
    },
  }));
  tf.registerGradient({
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, parts, { axis }) => {
      const along = axisOf(axis) < 0 ? axisOf(axis) + parts[0]!.rank : axisOf(axis);
      let from = 0;
      const gradientOf = parts.map(({ shape }) => {
        const begin = shape.map((_, a) => (a === along ? from : 0));
        from += shape[along]!;
        return () => tf.slice(dy as TfTensor, begin, shape);
      });
      return Object.fromEntries(gradientOf.entries());
    },
  });
  byOutput('Sqrt', (dy, y) => ({ x: () => tf.div(dy, tf.mul(y, 2)) }));
  byOutput('Sigmoid', (dy, y) => ({ x: () => tf.mul(dy, tf.mul(y, tf.sub(1, y))) }));
  byOutput('Tanh', (dy, y) => ({ x: () => tf.mul(dy, tf.sub(1, tf.square(y))) }));
  byInputs('Erf', ['x'], (dy, [x]) => ({
    x: () => tf.mul(tf.mul(dy, tf.exp(tf.neg(tf.square(x!)))), 2 / Math.sqrt(Math.PI)),
  }));
  byOutput('Softmax', (dy, y) => ({
    logits: () => {
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, -1, true), y));
    },
  }));
}

/** The one axis of a reduction, which comes as a number or a list. */
function axisOf(axis: unknown): number {
  return (Array.isArray(axis) ? axis[0] : axis) as number;
}

/** Undoes a broadcast: the sum over the axes along which `shape` was repeated. */
function sumTo(tf: TfNamespace, x: TfTensor, shape: number[]): TfTensor {
  const added = x.rank - shape.length;
  const axes = x.shape.flatMap((size, a) => (a < added || (shape[a - added] === 1 && size > 1) ? [a] : []));
  return axes.length === 0 ? x.clone() : tf.reshape(tf.sum(x, axes), shape);
}

/** Undoes a reduction: `x · factor`, repeated along the axis that it lacks. */
function spread(tf: TfNamespace, x: TfTensor, shape: number[], axis: number, factor: number): TfTensor {
  const along = axis < 0 ? axis + shape.length : axis;
  const kept = shape.map((size, a) => (a === along ? 1 : size));
  return tf.mul(tf.reshape(x, kept), tf.fill(shape, factor));
}
