/**
 * A model's weights in the kernels' memory, as the file has them.
 *
 * There is one copy for all that computes: decoding reads the rows as they are, a prefill has a layer's widened while it is in
 * it. All of a layer lies in one memory.
 */
import type { PackedWeights, WeightForm } from '../checkpoint/packed-weights.js';
import { packFloats } from '../checkpoint/packed-weights.js';
import type { WeightSource } from '../checkpoint/types.js';
import { weightBytes } from '../checkpoint/weight-bytes.js';
import type { Crew } from '../kernels/crew.js';
import type { KernelMemory } from '../kernels/memory.js';
import type { PackedMatrix } from '../kernels/step.js';

const FORMS: Readonly<Record<WeightForm, PackedMatrix['form']>> = {
  f32: 0,
  bf16: 1,
  f16: 2,
  q8: 3,
  q8x16: 4,
};

/** Kernels read up to 15 bytes past a row. */
const GUARD_BYTES = 16;

/** Rows that are widened at once. */
const WIDENED_ROWS = 64;

export interface StoredMatrix extends PackedMatrix {
  readonly memory: KernelMemory;
}

/** `model.layers.3.` and the like; other tensors are each a part of their own. */
function partOf(name: string): string {
  return /^model\.layers\.\d+\./.exec(name)?.[0] ?? name;
}

export class WeightStore {
  private constructor(
    readonly crew: Crew,
    private readonly matrices: ReadonlyMap<string, StoredMatrix>,
    /** What `free` gives back; the rest belongs to another store. */
    private readonly owned: readonly StoredMatrix[],
  ) {}

  /** Copies the weights, tensor by tensor. Throws UserError where a file is damaged, OutOfCacheMemory. */
  static load(crew: Crew, source: WeightSource): WeightStore {
    const matrices = new Map<string, StoredMatrix>();
    const parts = new Map<string, string[]>();
    for (const name of source.names) parts.set(partOf(name), [...(parts.get(partOf(name)) ?? []), name]);
    try {
      for (const names of parts.values()) {
        const memory = crew.pool.with(weightBytes(source, names) + 2 * GUARD_BYTES * names.length);
        for (const name of names) matrices.set(name, store(memory, source.packed(name)));
      }
    } catch (error) {
      for (const { memory, at } of matrices.values()) memory.free(at);
      throw error;
    }
    return new WeightStore(crew, matrices, [...matrices.values()]);
  }

  /** The same weights but for some matrices `[out, in]`; this store must outlive it. */
  with(others: ReadonlyMap<string, Float32Array>): WeightStore {
    const matrices = new Map(this.matrices);
    const owned: StoredMatrix[] = [];
    for (const [name, numbers] of others) {
      const { memory, columns } = this.matrix(name);
      const matrix = store(memory, packFloats([numbers.length / columns, columns], numbers));
      matrices.set(name, matrix);
      owned.push(matrix);
    }
    return new WeightStore(this.crew, matrices, owned);
  }

  /** A matrix, or a vector as one row. Throws Error where there is none. */
  matrix(name: string): StoredMatrix {
    const found = this.matrices.get(name);
    if (found === undefined) throw new Error(`the model has no weights ${name}`);
    return found;
  }

  /** All numbers, or some rows of them, `[rows, in]`. */
  read(name: string, from = 0, to: number = this.matrix(name).rows): Float32Array {
    const matrix = this.matrix(name);
    const { memory, columns } = matrix;
    const out = new Float32Array((to - from) * columns);
    const buffer = memory.alloc(4 * WIDENED_ROWS * columns);
    const kernels = this.crew.now(memory);
    for (let row = from; row < to; row += WIDENED_ROWS) {
      const end = Math.min(to, row + WIDENED_ROWS);
      kernels.widen(matrix, row, end, buffer);
      out.set(memory.floats(buffer, (end - row) * columns), (row - from) * columns);
    }
    memory.free(buffer);
    return out;
  }

  /**
   * Matrices side by side, transposed: `[in, Σ out]`, by all threads. What `use` is given is gone when it returns.
   *
   * @param names of matrices in one memory
   */
  transposed<T>(names: readonly string[], use: (numbers: Float32Array) => T): T {
    const matrices = names.map((name) => this.matrix(name));
    const [{ memory, columns }] = matrices as [StoredMatrix];
    const height = matrices.reduce((total, { rows }) => total + rows, 0);
    const out = memory.alloc(4 * columns * height);
    const { crew } = this;
    let first = 0;
    for (const matrix of matrices) {
      for (let from = 0; from < matrix.rows; from += WIDENED_ROWS) {
        const tile = crew.scratch(memory, 16 * columns);
        crew.item(memory, 1);
        const rows = { from, to: Math.min(matrix.rows, from + WIDENED_ROWS) };
        crew.later(memory).widenTransposed(matrix, rows, tile, { at: out, first, height });
      }
      first += matrix.rows;
    }
    crew.run(memory);
    try {
      return use(memory.floats(out, columns * height));
    } finally {
      memory.free(out);
    }
  }

  free(): void {
    for (const { memory, at } of this.owned) memory.free(at);
  }
}

function store(memory: KernelMemory, { form, rows, columns, rowBytes, data }: PackedWeights): StoredMatrix {
  const at = memory.alloc(data.length + GUARD_BYTES);
  memory.bytes(at, data.length).set(data);
  return { memory, at, form: FORMS[form], rows, columns, rowBytes };
}
