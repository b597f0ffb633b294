import { expect } from 'chai';
import fc from 'fast-check';
import { widenWeights } from '../../src/checkpoint/packed-weights.js';
import { arrangeRows, rowOrder } from '../../src/checkpoint/row-spans.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import type { TensorFile } from '../../src/checkpoint/tensor-file.js';
import { interleavedRow, type TensorLayout, withLayout } from '../../src/checkpoint/tensor-layout.js';
import type { ModelConfig, WeightSource } from '../../src/checkpoint/types.js';
import { f32, type RawTensor, safetensorsParts, useTempFolder, writeSafetensors } from '../model/support.js';

/** 0, 1, 2 … in bfloat16, which holds whole numbers up to 256. */
const counted = (...shape: readonly number[]): RawTensor => {
  const numbers = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
  const bits = Uint16Array.from(new Uint32Array(numbers.buffer), (word) => word >>> 16);
  return { dtype: 'BF16', shape, bytes: new Uint8Array(bits.buffer) };
};

describe('rows in another order', () => {
  it('are read in ascending spans and put in order where they are', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(60), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, width) => {
          const { spans, places } = rowOrder(rows);
          const read = spans.flatMap(({ first, count }) =>
            Array.from({ length: count }, (_, i) => first + i),
          );
          expect(read).to.deep.equal([...rows].sort((a, b) => a - b));
          for (const [i, span] of spans.slice(1).entries())
            expect(span.first).to.be.above(spans[i]!.first + spans[i]!.count);
          const data = Uint8Array.from(read.flatMap((row) => Array<number>(width).fill(row)));
          if (places !== undefined) arrangeRows(data, width, places);
          expect([...data]).to.deep.equal(rows.flatMap((row) => Array<number>(width).fill(row)));
        },
      ),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe('withLayout', () => {
  const temp = useTempFolder();
  const asked: string[] = [];
  /** The file, noting the numbers that are read of it. */
  const open = (tensors: Readonly<Record<string, RawTensor>>): TensorFile => {
    const { header, data } = safetensorsParts(tensors);
    writeSafetensors(temp('x.safetensors'), header, data);
    const file = openSafetensors(temp('x.safetensors'));
    asked.length = 0;
    return {
      ...file,
      part: (name, part) => {
        const count = part.spans.reduce((sum, span) => sum + span.count, 0) * part.columns;
        asked.push(`${name}: ${count}`);
        return file.part(name, part);
      },
    };
  };
  const layer = 'model.layers.0.';
  const config = { heads: 2, headDim: 4, experts: { count: 3 } } as unknown as ModelConfig;
  const lay = (
    file: TensorFile,
    layout: TensorLayout,
    shapes: Readonly<Record<string, readonly number[]>>,
  ): WeightSource =>
    withLayout(
      file,
      layout,
      config,
      new Map(Object.entries(shapes).map(([name, shape]) => [`${layer}${name}`, shape])),
    );
  /** All ways to read a tensor give the same; returns it. */
  const numbers = (weights: WeightSource, part: string): number[] => {
    const name = layer + part;
    const read = [...weights.read(name)];
    const packed = weights.packed(name);
    const shape = weights.shape(name);
    expect(packed.form).to.equal('bf16');
    expect(packed.rows).to.equal(shape.length === 1 ? 1 : shape[0]);
    expect(packed.columns).to.equal(shape.at(-1));
    expect(packed.data).to.have.length(packed.rows * packed.rowBytes);
    expect([...widenWeights(packed)]).to.deep.equal(read);
    const rows = Array.from({ length: packed.rows }, (_, first) => [
      ...widenWeights(weights.packed(name, { first, count: 1 })),
    ]);
    expect(rows.flat()).to.deep.equal(read);
    return read;
  };

  it('splits fused tensors, reading the rows of the part only', () => {
    const file = open({
      [`${layer}self_attn.qkv.weight`]: counted(16, 2),
      [`${layer}self_attn.qkv.bias`]: counted(16),
    });
    const weights = lay(
      file,
      { fused: { 'self_attn.qkv': ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'] } },
      {
        'self_attn.q_proj.weight': [8, 2],
        'self_attn.k_proj.weight': [4, 2],
        'self_attn.v_proj.weight': [4, 2],
        'self_attn.q_proj.bias': [8],
        'self_attn.k_proj.bias': [4],
        'self_attn.v_proj.bias': [4],
      },
    );
    expect(numbers(weights, 'self_attn.k_proj.weight')).to.deep.equal([16, 17, 18, 19, 20, 21, 22, 23]);
    expect(numbers(weights, 'self_attn.v_proj.bias')).to.deep.equal([12, 13, 14, 15]);
    asked.length = 0;
    weights.packed(`${layer}self_attn.q_proj.weight`);
    expect(asked).to.deep.equal([`${layer}self_attn.qkv.weight: 16`]);
    weights.close();
  });

  it('splits tensors that are fused head by head', () => {
    const file = open({ [`${layer}qkv.weight`]: counted(24, 1) });
    const weights = lay(
      file,
      { fused: { qkv: ['q', 'k', 'v'] }, fusedByHead: true },
      { 'q.weight': [8, 1], 'k.weight': [8, 1], 'v.weight': [8, 1] },
    );
    expect(numbers(weights, 'k.weight')).to.deep.equal([4, 5, 6, 7, 16, 17, 18, 19]);
    weights.close();
  });

  it('reads of stacked experts the one that is asked for', () => {
    const file = open({ [`${layer}mlp.experts.up.weight`]: counted(3, 2, 4) });
    const shapes = Object.fromEntries([0, 1, 2].map((e) => [`mlp.experts.${e}.up_proj.weight`, [2, 4]]));
    const weights = lay(file, { stackedExperts: { up_proj: 'mlp.experts.up' } }, shapes);
    expect(numbers(weights, 'mlp.experts.1.up_proj.weight')).to.deep.equal([8, 9, 10, 11, 12, 13, 14, 15]);
    asked.length = 0;
    weights.packed(`${layer}mlp.experts.2.up_proj.weight`);
    expect(asked).to.deep.equal([`${layer}mlp.experts.up.weight: 8`]);
    weights.close();
  });

  it('puts interleaved rows into half-split order', () => {
    const file = open({ [`${layer}q.weight`]: counted(8, 2), [`${layer}q.bias`]: counted(8) });
    const weights = lay(file, { interleavedRows: ['q'] }, { 'q.weight': [8, 2], 'q.bias': [8] });
    const order = [0, 1, 2, 3, 4, 5, 6, 7].map((row) => interleavedRow(row, 4));
    expect(order).to.deep.equal([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(numbers(weights, 'q.bias')).to.deep.equal(order);
    expect(numbers(weights, 'q.weight')).to.deep.equal(order.flatMap((row) => [2 * row, 2 * row + 1]));
    weights.close();
  });

  it('reads plain tensors under the prefix that the file has', () => {
    const file = open({ [`text.${layer}o.weight`]: f32([1, 2], [1, 2]) });
    const weights = lay(file, { prefixes: ['text.'] }, { 'o.weight': [1, 2] });
    expect(weights.nameInFile?.(`${layer}o.weight`)).to.equal(`text.${layer}o.weight`);
    expect(weights.packed(`${layer}o.weight`)).to.include({ form: 'f32', rows: 1, columns: 2 });
    expect([...weights.read(`${layer}o.weight`)]).to.deep.equal([1, 2]);
    weights.close();
  });
});
