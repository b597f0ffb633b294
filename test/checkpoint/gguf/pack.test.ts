import { expect } from 'chai';
import fc from 'fast-check';
import { openGguf } from '../../../src/checkpoint/gguf/file.js';
import { GGUF_TYPES } from '../../../src/checkpoint/gguf/tensor-types.js';
import { FORM_BLOCKS, rowBytesOf, widenWeights } from '../../../src/checkpoint/packed-weights.js';
import { userError, useTempFolder, writeGguf } from '../../model/support.js';
import { BLOCK_TYPES, type BlockType, dequantized } from './dequant.js';

const bitsOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Random blocks whose scales are finite. */
function blocksOf({ blockBytes, halves }: BlockType, count: number): fc.Arbitrary<Uint8Array> {
  const length = count * blockBytes;
  return fc.uint8Array({ minLength: length, maxLength: length }).map((random) => {
    const bytes = random.slice();
    for (let block = 0; block < count; block++) {
      // an exponent of 31 is an infinity or NaN
      for (const half of halves) bytes[block * blockBytes + half + 1]! &= 0xbf;
    }
    return bytes;
  });
}

describe('packing of GGUF blocks', () => {
  const temp = useTempFolder();
  const open = (
    type: number,
    dimensions: readonly number[],
    data: Uint8Array,
  ): ReturnType<typeof openGguf> => {
    writeGguf(temp('x.gguf'), { tensors: [{ name: 't', dimensions, type, offset: 0 }], data });
    return openGguf(temp('x.gguf'));
  };

  it('has a reference for each block type', () => {
    const packed = [...GGUF_TYPES].filter(([, type]) => type.pack !== undefined);
    expect(packed.map(([number]) => number)).to.have.members([...BLOCK_TYPES.keys()]);
    for (const [number, { name, blockValues, blockBytes }] of packed)
      expect(BLOCK_TYPES.get(number)).to.include({ name, blockValues, blockBytes });
  });

  for (const [number, type] of BLOCK_TYPES) {
    const rows = 3;
    const perRow = 2;
    const columns = perRow * type.blockValues;

    it(`${type.name} holds the values of its formula, bit for bit`, () => {
      fc.assert(
        fc.property(blocksOf(type, rows * perRow), (bytes) => {
          const { tensors } = open(number, [columns, rows], bytes);
          try {
            const packed = tensors.packed('t');
            const { form } = packed;
            expect(form).to.equal(GGUF_TYPES.get(number)!.form);
            expect(packed).to.include({ rows, columns, rowBytes: rowBytesOf(form, columns) });
            expect(packed.data).to.have.length(
              (rows * columns * FORM_BLOCKS[form].bytes) / FORM_BLOCKS[form].numbers,
            );
            const expected = bitsOf(dequantized(type, bytes));
            expect(bitsOf(widenWeights(packed)).equals(expected)).to.equal(true);
            expect(bitsOf(tensors.read('t')).equals(expected)).to.equal(true);
            const middle = tensors.packed('t', { first: 1, count: 1 });
            expect(
              Buffer.compare(middle.data, packed.data.subarray(packed.rowBytes, 2 * packed.rowBytes)),
            ).to.equal(0);
          } finally {
            tensors.close();
          }
        }),
        { numRuns: 60, seed: 19 },
      );
    });

    it(`${type.name} refuses scales that are no finite numbers`, () => {
      for (const half of type.halves) {
        for (const top of [0x7c, 0xfc, 0x7e]) {
          const bytes = new Uint8Array(rows * perRow * type.blockBytes);
          bytes[4 * type.blockBytes + half + 1] = top;
          const { tensors } = open(number, [columns, rows], bytes);
          const error = userError(() => tensors.packed('t'));
          expect(error.place).to.equal(temp('x.gguf'));
          expect(error.message).to.equal('tensor "t": a block has a scale that is no finite number');
          tensors.close();
        }
      }
    });
  }

  it('packs a tensor that is longer than its buffer', () => {
    const type = BLOCK_TYPES.get(2)!;
    const rows = 70_000;
    const bytes = new Uint8Array(rows * type.blockBytes);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31) & 0x3f;
    const { tensors } = open(2, [32, rows], bytes);
    expect(bitsOf(tensors.read('t')).equals(bitsOf(dequantized(type, bytes)))).to.equal(true);
    tensors.close();
  });
});
