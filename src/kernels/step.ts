/**
 * The kernels of a decode step but for attention: products with packed weights, norms, rotations, activations.
 *
 * Like those of attention they are done at once or written down. Strides are bytes from one row to the next; rows that are
 * multiplied are padded with zeros to a multiple of eight columns.
 */
import type { Caller } from './calls.js';
import type { Pointer } from './memory.js';

/** Rows of float32 numbers. */
export interface Rows {
  readonly at: Pointer;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

/** A matrix `[out, in]` in the kernels' memory. */
export interface PackedMatrix {
  /** See `assembly/weights.ts`. */
  readonly form: 0 | 1 | 2 | 3 | 4;
  readonly at: Pointer;
  readonly rowBytes: number;
  /** out */
  readonly rows: number;
  /** in */
  readonly columns: number;
}

export const ACTIVATIONS = { silu: 0, gelu: 1, gelu_tanh: 2 } as const;

export class StepKernels {
  constructor(private readonly call: Caller) {}

  /**
   * `out[r, i] = scale · (x[r] · w[i]) + bias[i]` for rows `from … to − 1` of w.
   *
   * @param bias `[out]` float32, or 0
   */
  multiply(
    w: PackedMatrix,
    { from, to }: { readonly from: number; readonly to: number },
    x: Rows,
    count: number,
    scale: number,
    bias: Pointer,
    out: Rows,
  ): void {
    const { form, at, rowBytes, columns } = w;
    this.call(
      'multiplyRows',
      form,
      at,
      rowBytes,
      from,
      to,
      columns,
      x.at,
      x.stride,
      count,
      scale,
      bias,
      out.at,
      out.stride,
    );
  }

  /** RMS norm, or with `centred` layer norm, of `count` rows of `width` numbers; bias 0: none. out may be x. */
  norm(
    centred: boolean,
    x: Rows,
    count: number,
    width: number,
    { weight, bias, eps }: { readonly weight: Pointer; readonly bias: Pointer; readonly eps: number },
    out: Rows,
  ): void {
    this.call(
      'normRows',
      Number(centred),
      x.at,
      x.stride,
      count,
      width,
      weight,
      bias,
      eps,
      out.at,
      out.stride,
    );
  }

  /** `x += y` */
  add(x: Rows, y: Rows, count: number, width: number): void {
    this.call('addRows', x.at, x.stride, y.at, y.stride, count, width);
  }

  /** `x += share · y`, one row. */
  addScaled(x: Pointer, y: Pointer, width: number, share: number): void {
    this.call('addScaled', x, y, width, share);
  }

  /** Rotates `heads` vectors of width D in place; `angles`: cosines and sines of `half` pairs. */
  rotate(
    x: Pointer,
    heads: number,
    width: number,
    angles: {
      readonly half: number;
      readonly interleaved: boolean;
      readonly cos: Pointer;
      readonly sin: Pointer;
    },
  ): void {
    this.call(
      'rotateHeads',
      x,
      heads,
      width,
      angles.half,
      Number(angles.interleaved),
      angles.cos,
      angles.sin,
    );
  }

  /** `out = act(gate) · up`, with up 0 `act(gate)`; one row. Up to 3 numbers behind it are overwritten. */
  activate(kind: keyof typeof ACTIVATIONS, gate: Pointer, up: Pointer, count: number, out: Pointer): void {
    this.call('activateRow', ACTIVATIONS[kind], gate, up, count, out);
  }

  /** `x = cap · tanh(x / cap)`, rows of `count` numbers; the stride is a multiple of 16. */
  softCap(x: Rows, rows: number, count: number, cap: number): void {
    this.call('capRows', x.at, rows, x.stride / 4, count, cap);
  }

  /** Softmax of rows of `width` numbers, in place; up to 3 numbers behind each are overwritten. */
  softmax(x: Rows, rows: number, width: number): void {
    this.call('softmaxRows', x.at, rows, x.stride / 4, width, rows, 1);
  }

  /** Writes the index of the largest number, the first of equal ones; −1 where one is not finite. */
  best(x: Pointer, count: number, out: Pointer): void {
    this.call('bestOf', x, count, out);
  }

  /** Rows `from … to − 1` of w as float32, `[to − from, in]`. */
  widen(w: PackedMatrix, from: number, to: number, out: Pointer): void {
    this.call('widenRows', w.form, w.at + from * w.rowBytes, w.rowBytes, to - from, w.columns, out);
  }

  /** The same as columns `first + from …` of `out [in, height]`; `tile`: room for four rows. */
  widenTransposed(
    w: PackedMatrix,
    { from, to }: { readonly from: number; readonly to: number },
    tile: Pointer,
    out: { readonly at: Pointer; readonly first: number; readonly height: number },
  ): void {
    const at = w.at + from * w.rowBytes;
    this.call(
      'widenTransposed',
      w.form,
      at,
      w.rowBytes,
      to - from,
      w.columns,
      tile,
      out.first + from,
      out.height,
      out.at,
    );
  }
}
