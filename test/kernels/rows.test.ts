/** Packed rows, scored and accumulated: against float64, and bit for bit whatever shares the call. */
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeSide } from '../../src/cache/decode.js';
import { openKernels, type PackedRows, type Pointer } from '../../src/kernels/index.js';
import { randomFrom } from '../cache/support.js';

const kernels = openKernels();
const { memory } = kernels;

interface Shape {
  readonly seed: number;
  readonly sparse: boolean;
  readonly fill: 'zero' | 'signed' | 'mean';
  readonly wide: boolean;
  readonly eighths: number;
  readonly odd: number;
  readonly count: number;
  readonly rows: number;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  seed: fc.nat(),
  sparse: fc.boolean(),
  fill: fc.constantFrom('zero' as const, 'signed' as const, 'mean' as const),
  wide: fc.boolean(),
  eighths: fc.constantFrom(1, 3, 5, 8, 8, 9, 16, 16, 20, 32),
  /** Dense rows need not be a multiple of 8 wide. */
  odd: fc.integer({ min: 0, max: 7 }),
  count: fc.integer({ min: 1, max: 70 }),
  rows: fc.integer({ min: 1, max: 17 }),
});

/** Buffers of random entries, each with NaN right behind it: what lies there must not be seen. */
class Buffers {
  private readonly pointers: Pointer[] = [];

  constructor(
    private readonly random: () => number,
    private readonly wide: boolean,
  ) {}

  entries(count: number): Pointer {
    const bits = new Uint32Array(Float32Array.from({ length: count }, () => 2 * this.random() - 1).buffer);
    const pointer = this.alloc(count * (this.wide ? 4 : 2));
    if (this.wide) memory.words(pointer, count).set(bits);
    else memory.halves(pointer, count).set(bits.map((word) => word >>> 16));
    return pointer;
  }

  bits(bytes: number, share: number): Pointer {
    const pointer = this.alloc(bytes);
    memory.bytes(pointer, bytes).forEach((_, at, all) => {
      for (let bit = 0; bit < 8; bit++) all[at]! |= Number(this.random() < share) << bit;
    });
    return pointer;
  }

  floats(numbers: ArrayLike<number>): Pointer {
    const pointer = this.alloc(4 * numbers.length);
    memory.floats(pointer, numbers.length).set(numbers);
    return pointer;
  }

  free(): void {
    for (const pointer of this.pointers) memory.free(pointer);
  }

  private alloc(bytes: number): Pointer {
    const pointer = memory.alloc(bytes + 32);
    memory.bytes(pointer, bytes).fill(0);
    memory.bytes(pointer + bytes, 32).fill(0xff);
    this.pointers.push(pointer);
    return pointer;
  }
}

function makeRows(s: Shape, buffers: Buffers, random: () => number): PackedRows {
  const format = s.wide ? 'float32' : 'bfloat16';
  const { count } = s;
  if (!s.sparse) {
    const width = Math.max(1, 8 * s.eighths - s.odd);
    return { kind: 'dense', format, count, width, entries: buffers.entries(count * width) };
  }
  const width = 8 * s.eighths;
  const masks = buffers.bits((count * width) / 8, random());
  let kept = 0;
  for (const byte of memory.bytes(masks, (count * width) / 8))
    kept += byte.toString(2).replaceAll('0', '').length;
  const entries = buffers.entries(kept);
  const rows = { kind: 'sparse', format, count, width, entries, masks } as const;
  if (s.fill === 'zero') return { ...rows, fill: { kind: 'zero' } };
  const scales = buffers.entries(count);
  if (s.fill === 'mean') return { ...rows, fill: { kind: 'mean', scales } };
  const signs = buffers.bits((count * width) / 8, 0.5);
  return { ...rows, fill: { kind: 'signed', signs, scales, channel: buffers.entries(width) } };
}

describe('Kernels.score and accumulate', () => {
  it('equal float64 over the decoded rows, and give a row the same bits alone as among others', () => {
    fc.assert(
      fc.property(shapes, (s) => {
        const random = randomFrom(s.seed);
        const buffers = new Buffers(random, s.wide);
        const packed = makeRows(s, buffers, random);
        const { count: n, width: D } = packed;
        const padded = Math.ceil(D / 4) * 4;
        const stride = Math.ceil(n / 4) * 4;
        const decoded = decodeSide(memory, [{ rows: packed }], D);
        const queries = Float32Array.from({ length: s.rows * padded }, (_, i) =>
          i % padded < D ? 2 * random() - 1 : 0,
        );
        const query = buffers.floats(queries);
        const weights = Float32Array.from({ length: s.rows * stride }, random);
        const weight = buffers.floats(weights);
        const all = { visible: n, group: s.rows };
        const run = (first: number, rows: number): { scores: Float32Array; sums: Float32Array } => {
          const scores = buffers.floats(new Float32Array(rows * stride));
          const sums = buffers.floats(new Float32Array(rows * padded));
          kernels.score(packed, query + 4 * first * padded, rows, scores, stride);
          kernels.accumulate(packed, weight + 4 * first * stride, rows, stride, all, sums);
          return {
            scores: memory.floats(scores, rows * stride).slice(),
            sums: memory.floats(sums, rows * padded).slice(),
          };
        };
        const together = run(0, s.rows);
        for (let r = 0; r < s.rows; r++) {
          const alone = run(r, 1);
          for (let i = 0; i < n; i++) {
            let expected = 0;
            for (let j = 0; j < D; j++) expected += queries[r * padded + j]! * decoded[i * D + j]!;
            expect(together.scores[r * stride + i]).to.be.closeTo(expected, 2e-4);
            expect(alone.scores[i]).to.equal(together.scores[r * stride + i]);
          }
          for (let j = 0; j < D; j++) {
            let expected = 0;
            for (let i = 0; i < n; i++) expected += weights[r * stride + i]! * decoded[i * D + j]!;
            expect(together.sums[r * padded + j]).to.be.closeTo(expected, 2e-4);
            expect(alone.sums[j]).to.equal(together.sums[r * padded + j]);
          }
        }
        buffers.free();
      }),
      { numRuns: 60 },
    );
  });
});
