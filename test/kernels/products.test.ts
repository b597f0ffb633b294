/** Products with packed weights against float64, and their bits: alone, among others, in parts, on one kernel form. */
import { expect } from 'chai';
import fc from 'fast-check';
import { packFloats, widenWeights, type PackedWeights } from '../../src/checkpoint/packed-weights.js';
import { openKernels } from '../../src/kernels/index.js';
import { StepKernels, type PackedMatrix, type Rows } from '../../src/kernels/step.js';
import { randomFrom, randomNumbers } from '../cache/support.js';

const { memory } = openKernels();
const step = new StepKernels((kernel, ...args) => {
  memory.code[kernel](...args);
});

const FORMS = { f32: 0, bf16: 1, f16: 2, q8: 3, q8x16: 4 } as const;
type Form = keyof typeof FORMS;

/** Weights in a form, as a file would have them. */
function randomWeights(form: Form, rows: number, columns: number, random: () => number): PackedWeights {
  const numbers = randomNumbers(rows * columns, random);
  if (form === 'f32') return packFloats([rows, columns], numbers);
  const count = rows * columns;
  if (form === 'bf16' || form === 'f16') {
    const data = new Uint8Array(2 * count);
    const halves = new Uint16Array(data.buffer);
    for (let i = 0; i < count; i++) {
      // any float16 but infinities and NaN; bfloat16 of moderate size
      halves[i] =
        form === 'f16'
          ? (Math.floor(random() * 0x7c00) | (random() < 0.5 ? 0x8000 : 0)) &
            (random() < 0.1 ? 0x83ff : 0xffff)
          : new Uint32Array(Float32Array.of(numbers[i]!).buffer)[0]! >>> 16;
    }
    return { form, rows, columns, rowBytes: 2 * columns, data };
  }
  const size = form === 'q8' ? 32 : 16;
  const data = new Uint8Array((count / size) * (size + 8));
  for (let block = 0; block < count / size; block++) {
    const at = block * (size + 8);
    // as in every file format: scale · code is exact, or there is no minimum
    const scale = Math.floor(random() * 65_536) * 2 ** -21;
    new Float32Array(data.buffer, at, 2).set([scale, random() < 0.5 ? -0 : random() - 0.5]);
    for (let i = 0; i < size; i++) data[at + 8 + i] = Math.floor(random() * 256);
  }
  return { form, rows, columns, rowBytes: (columns / size) * (size + 8), data };
}

function place(bytes: Uint8Array): number {
  const at = memory.alloc(bytes.length + 16);
  memory.bytes(at, bytes.length).set(bytes);
  return at;
}

function matrixAt(weights: PackedWeights): PackedMatrix {
  const { form, rows, columns, rowBytes, data } = weights;
  return { form: FORMS[form], at: place(data), rows, columns, rowBytes };
}

/** `[R, K]` with rows padded by zeros to whole eights. */
function rowsAt(numbers: Float32Array, count: number): Rows {
  const width = numbers.length / count;
  const stride = 32 * Math.ceil(width / 8);
  const at = memory.alloc(count * stride + 16);
  memory.floats(at, (count * stride) / 4).fill(0);
  for (let r = 0; r < count; r++)
    memory.floats(at + r * stride, width).set(numbers.subarray(r * width, (r + 1) * width));
  return { at, stride };
}

interface Drawn {
  readonly form: Form;
  readonly out: number;
  readonly columns: number;
  readonly count: number;
  readonly seed: number;
}

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    form: fc.constantFrom<Form>('f32', 'bf16', 'f16', 'q8', 'q8x16'),
    out: fc.integer({ min: 1, max: 70 }),
    blocks: fc.integer({ min: 1, max: 40 }),
    odd: fc.integer({ min: 0, max: 31 }),
    count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 70 })),
    seed: fc.nat(),
  })
  .map(({ form, out, blocks, odd, count, seed }) => {
    const coded = form === 'q8' || form === 'q8x16';
    return { form, out, columns: coded ? 32 * blocks : 32 * (blocks - 1) + odd + 1, count, seed };
  });

/** The product of all rows, in parts of so many rows of weights and of x. */
function product(
  w: PackedMatrix,
  x: Rows,
  count: number,
  { scale, bias, parts, together }: Readonly<Record<'scale' | 'bias' | 'parts' | 'together', number>>,
): Float32Array {
  const stride = 4 * w.rows;
  const at = memory.alloc(count * stride + 16);
  for (let r = 0; r < count; r += together) {
    for (let from = 0; from < w.rows; from += parts) {
      const some = Math.min(together, count - r);
      const rows = { from, to: Math.min(w.rows, from + parts) };
      step.multiply(w, rows, { ...x, at: x.at + r * x.stride }, some, scale, bias, {
        at: at + r * stride,
        stride,
      });
    }
  }
  const got = memory.floats(at, count * w.rows).slice();
  memory.free(at);
  return got;
}

describe('StepKernels.multiply', () => {
  it('equals float64 sums over the widened weights', () => {
    fc.assert(
      fc.property(drawn, ({ form, out, columns, count, seed }) => {
        const random = randomFrom(seed);
        const weights = randomWeights(form, out, columns, random);
        const numbers = randomNumbers(count * columns, random);
        const biases = randomNumbers(out, random);
        const [w, x] = [matrixAt(weights), rowsAt(numbers, count)];
        const bias = place(new Uint8Array(biases.buffer));
        const got = product(w, x, count, { scale: 0.75, bias, parts: out, together: count });
        for (const at of [w.at, x.at, bias]) memory.free(at);
        const wide = widenWeights(weights);
        for (let r = 0; r < count; r++) {
          for (let i = 0; i < out; i++) {
            let sum = 0;
            let size = 0;
            for (let k = 0; k < columns; k++) {
              const term = numbers[r * columns + k]! * wide[i * columns + k]!;
              sum += term;
              size += Math.abs(term);
            }
            const difference = Math.abs(got[r * out + i]! - (0.75 * sum + biases[i]!));
            expect(difference).to.be.at.most(1e-6 * (1 + size));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('has the same bits alone, among others, and in parts', () => {
    fc.assert(
      fc.property(
        drawn,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        ({ form, out, columns, count, seed }, parts, together) => {
          const random = randomFrom(seed);
          const w = matrixAt(randomWeights(form, out, columns, random));
          const x = rowsAt(randomNumbers(count * columns, random), count);
          const whole = product(w, x, count, { scale: 1, bias: 0, parts: out, together: count });
          const other = product(w, x, count, { scale: 1, bias: 0, parts, together });
          for (const at of [w.at, x.at]) memory.free(at);
          expect(Buffer.compare(Buffer.from(whole.buffer), Buffer.from(other.buffer))).to.equal(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('StepKernels.widen', () => {
  it('gives the numbers of the form bit for bit, and transposes them', () => {
    fc.assert(
      fc.property(drawn, ({ form, out, columns, seed }) => {
        const weights = randomWeights(form, out, columns, randomFrom(seed));
        const w = matrixAt(weights);
        const wide = widenWeights(weights);
        const at = memory.alloc(4 * out * columns);
        step.widen(w, 0, out, at);
        expect(memory.floats(at, out * columns).slice()).to.deep.equal(wide);
        const tile = memory.alloc(16 * columns + 64);
        const height = out + 3;
        const turned = memory.alloc(4 * height * columns);
        step.widenTransposed(w, { from: 0, to: out }, tile, { at: turned, first: 3, height });
        const numbers = memory.floats(turned, height * columns).slice();
        const expected = Float32Array.from({ length: height * columns }, (_, at) => {
          const i = (at % height) - 3;
          return i < 0 ? numbers[at]! : wide[i * columns + Math.floor(at / height)]!;
        });
        expect(numbers).to.deep.equal(expected);
        for (const pointer of [w.at, at, tile, turned]) memory.free(pointer);
      }),
      { numRuns: 60 },
    );
  });
});
