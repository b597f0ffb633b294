import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openGguf } from '../../../src/checkpoint/gguf/file.js';
import { FIXTURES, gguf, type GgufParts, userError, useTempFolder, writeGguf } from '../../model/support.js';

const QUANTISED = join(FIXTURES, 'gguf/quantised.gguf');

describe('GGUF', () => {
  const temp = useTempFolder();
  const file = (): string => temp('model.gguf');
  const fault = (parts: GgufParts): string => {
    writeGguf(file(), parts);
    const error = userError(() => openGguf(file()));
    expect(error.place).to.equal(file());
    return error.message;
  };
  const bytes32 = new Uint8Array(32);

  describe('dequantisation', () => {
    const expected = readFileSync(join(FIXTURES, 'gguf/quantised.f32'));
    const { tensors } = openGguf(QUANTISED);
    after(() => {
      tensors.close();
    });
    let at = 0;
    for (const name of tensors.names) {
      const count = tensors.shape(name).reduce((a, b) => a * b, 1);
      const reference = expected.subarray(at, at + 4 * count);
      at += 4 * count;
      it(`gives the bits of the reference for ${name}`, () => {
        expect(Buffer.from(tensors.read(name).buffer).equals(reference)).to.equal(true);
      });
    }
    it('covers all of the reference', () => {
      expect(at).to.equal(expected.length);
      expect(tensors.names).to.have.length(15);
    });
  });

  it('reads metadata of versions 2 and 3, and shapes with the outermost dimension first', () => {
    for (const version of [2, 3]) {
      writeGguf(file(), {
        version,
        metadata: [
          ['general.architecture', gguf.string('llama')],
          ['n', gguf.u32(7)],
          ['x', gguf.f32(0.5)],
          ['words', gguf.strings(['a', 'ß', ''])],
          ['same', gguf.u32s([3, 3])],
          ['different', gguf.u32s([3, 4])],
        ],
        tensors: [{ name: 't', dimensions: [4, 2], offset: 0 }],
        data: new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer),
      });
      const { metadata, tensors } = openGguf(file());
      expect(metadata.string('general.architecture')).to.equal('llama');
      expect(metadata.number('n') + metadata.number('x')).to.equal(7.5);
      expect(metadata.strings('words')).to.deep.equal(['a', 'ß', '']);
      expect(metadata.uniformNumber('same')).to.equal(3);
      expect(metadata.optionalNumber('absent')).to.equal(undefined);
      expect(userError(() => metadata.uniformNumber('different')).message).to.match(/layers that differ/);
      expect(userError(() => metadata.number('absent')).message).to.match(/no metadata key "absent"/);
      expect(userError(() => metadata.string('n')).message).to.match(/n: expected a string, got number/);
      expect(userError(() => metadata.numbers('words')).message).to.match(/expected an array of numbers/);
      expect(tensors.shape('t')).to.deep.equal([2, 4]);
      expect([...tensors.read('t')]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(userError(() => tensors.read('u')).message).to.match(/no tensor "u"/);
      tensors.close();
    }
  });

  it('refuses other files and other versions', () => {
    expect(fault({ magic: 'GGML' })).to.match(/does not begin with "GGUF"/);
    expect(fault({ version: 1 })).to.match(/version 1 is not supported/);
    expect(fault({ version: 0x03000000 })).to.match(/version 50331648 is not supported/);
    writeFileSync(file(), 'GG');
    expect(userError(() => openGguf(file())).message).to.match(/not a GGUF file/);
  });

  it('refuses counts and lengths that the file cannot hold, before allocating for them', () => {
    expect(fault({ tensorCount: 2n ** 63n })).to.match(/number of tensors: 9223372036854775808 cannot fit/);
    expect(fault({ metadataCount: 2n ** 40n })).to.match(/number of metadata entries/);
    expect(fault({ metadata: [['k', gguf.stringsOfLength(2n ** 50n)]] })).to.match(/array length/);
    const string = Buffer.concat([gguf.string('').subarray(0, 4), Buffer.alloc(8, 0xff)]);
    expect(fault({ metadata: [['k', string]] })).to.match(/string length/);
  });

  it('refuses unknown value types, deep nesting and repeated keys', () => {
    const type = (n: number): Buffer => gguf.u32(n).subarray(4);
    expect(fault({ metadata: [['k', Buffer.concat([type(99), Buffer.alloc(32)])]] })).to.match(
      /value type 99/,
    );
    const level = Buffer.concat([type(9), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])]);
    const nested = Buffer.concat([type(9), ...Array.from({ length: 9 }, () => level), Buffer.alloc(32)]);
    expect(fault({ metadata: [['k', nested]] })).to.match(/nested too deeply/);
    expect(
      fault({
        metadata: [
          ['k', gguf.u32(1)],
          ['k', gguf.u32(2)],
        ],
      }),
    ).to.match(/"k" appears twice/);
  });

  it('refuses unknown and unsupported tensor types by name', () => {
    const typed = (type: number): string =>
      fault({ tensors: [{ name: 't', dimensions: [256], type, offset: 0 }], data: new Uint8Array(512) });
    expect(typed(16)).to.match(/"t": type IQ2_XXS is not supported/);
    expect(typed(77)).to.match(/"t": type number 77 is not supported/);
  });

  it('refuses tensors outside the file, overlapping, misaligned or in broken blocks', () => {
    const one = (changes: object): string =>
      fault({ tensors: [{ name: 't', dimensions: [8], offset: 0, ...changes }], data: bytes32 });
    expect(one({ offset: 32 })).to.match(/"t" lies outside the file/);
    expect(one({ dimensions: [9] })).to.match(/"t" lies outside the file/);
    expect(one({ dimensions: [2 ** 40, 2 ** 40, 2 ** 40] })).to.match(/"t" lies outside the file/);
    expect(one({ dimensions: [2n ** 60n] })).to.match(/absurd 64-bit number/);
    expect(one({ offset: 4, dimensions: [1] })).to.match(/not a multiple of 32/);
    expect(one({ dimensions: [1, 1, 1, 1, 1] })).to.match(/5 dimensions/);
    expect(one({ dimensions: [16], type: 8 })).to.match(/rows of 16 are not whole blocks of 32 \(Q8_0\)/);
    const two = (second: object): string =>
      fault({
        tensors: [
          { name: 't', dimensions: [16], offset: 0 },
          { name: 'u', dimensions: [8], offset: 32, ...second },
        ],
        data: new Uint8Array(64),
      });
    expect(two({})).to.match(/"t" and "u" overlap/);
    expect(two({ name: 't' })).to.match(/"t" appears twice/);
  });

  it('refuses an alignment that is not a power of two', () => {
    for (const alignment of [0, 24, 2 ** 20]) {
      expect(fault({ metadata: [['general.alignment', gguf.u32(alignment)]] })).to.match(/power of two/);
    }
  });

  it('never fails but with a UserError on a damaged file', () => {
    const sound = readFileSync(QUANTISED);
    fc.assert(
      fc.property(fc.nat(900), fc.nat(255), fc.nat(sound.length), (at, byte, length) => {
        const damaged = Buffer.from(sound.subarray(0, length));
        if (at < length) damaged[at] = byte;
        writeFileSync(file(), damaged);
        try {
          openGguf(file()).tensors.close();
        } catch (error) {
          expect(error).to.have.property('name', 'UserError');
        }
      }),
      { numRuns: 300 },
    );
  });
});
