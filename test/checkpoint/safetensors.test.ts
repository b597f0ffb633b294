import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import {
  f32,
  FIXTURES,
  type RawTensor,
  safetensorsParts,
  userError,
  useTempFolder,
  writeSafetensors,
} from '../model/support.js';

describe('safetensors', () => {
  const temp = useTempFolder();
  const file = (): string => temp('model.safetensors');
  const fault = (header: unknown, data: Uint8Array): string => {
    writeSafetensors(file(), header, data);
    const error = userError(() => openSafetensors(file()));
    expect(error.place).to.equal(file());
    return error.message;
  };
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32'): unknown => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });

  it('gives back float32 tensors of any shape', () => {
    const tensor = fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) =>
      fc
        .array(fc.float({ noNaN: true }), {
          minLength: shape.reduce((a, b) => a * b, 1),
          maxLength: shape.reduce((a, b) => a * b, 1),
        })
        .map((values) => ({ shape, values })),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), tensor, { maxKeys: 5 }), (tensors) => {
        const named = Object.entries(tensors).filter(
          ([name]) => !['__metadata__', '__proto__'].includes(name), // one is no tensor, the other none that JSON objects hold
        );
        const raw = Object.fromEntries(named.map(([n, { shape, values }]) => [n, f32(shape, values)]));
        const { header, data } = safetensorsParts(raw);
        writeSafetensors(file(), header, data);
        const weights = openSafetensors(file());
        expect([...weights.names].sort()).to.deep.equal(named.map(([n]) => n).sort());
        for (const [name, { shape, values }] of named) {
          expect(weights.shape(name)).to.deep.equal(shape);
          expect([...weights.read(name)]).to.deep.equal(values.map(Math.fround));
        }
        weights.close();
      }),
      { numRuns: 40 },
    );
  });

  it('widens F16 and BF16, also at odd offsets', () => {
    const tensors: Record<string, RawTensor> = {
      odd: { dtype: 'U8', shape: [1], bytes: Uint8Array.of(7) },
      half: { dtype: 'F16', shape: [2], bytes: Uint8Array.of(0x00, 0x3c, 0x00, 0xc0) },
      brain: { dtype: 'BF16', shape: [1, 2], bytes: Uint8Array.of(0x80, 0x3f, 0x00, 0xc0) },
      single: f32([1], [0.5]),
    };
    const { header, data } = safetensorsParts(tensors);
    writeSafetensors(file(), header, data);
    const weights = openSafetensors(file());
    expect([...weights.read('half')]).to.deep.equal([1, -2]);
    expect([...weights.read('brain')]).to.deep.equal([1, -2]);
    expect([...weights.read('single')]).to.deep.equal([0.5]);
    expect(userError(() => weights.read('odd')).message).to.match(/"odd" is U8/);
    expect(userError(() => weights.read('none')).message).to.match(/no tensor "none"/);
    weights.close();
  });

  it('reads a checkpoint that PyTorch wrote', () => {
    const weights = openSafetensors(join(FIXTURES, 'golden/llama/model.safetensors'));
    expect(weights.shape('model.embed_tokens.weight')).to.deep.equal([160, 64]);
    expect(weights.read('model.embed_tokens.weight')).to.have.length(160 * 64);
    weights.close();
  });

  it('refuses a file that is missing or too short', () => {
    expect(userError(() => openSafetensors(file())).message).to.match(/cannot be opened/);
    expect(userError(() => openSafetensors(temp())).message).to.match(/expected a file/);
    writeFileSync(file(), 'abc');
    expect(userError(() => openSafetensors(file())).message).to.match(/too short/);
  });

  it('refuses a header that is longer than the file, however long', () => {
    for (const length of [33n, 2n ** 40n, 2n ** 64n - 1n]) {
      const bytes = Buffer.alloc(40);
      bytes.writeBigUInt64LE(length);
      writeFileSync(file(), bytes);
      expect(userError(() => openSafetensors(file())).message).to.include(`${length} bytes, but 32 follow`);
    }
  });

  it('refuses a header that is not an object of entries', () => {
    expect(fault('{"a":', new Uint8Array(0))).to.match(/not valid JSON/);
    expect(fault('[1, 2]', new Uint8Array(0))).to.match(/not a JSON object/);
    expect(fault({ a: { dtype: 'F32' } }, new Uint8Array(0))).to.match(/"a": expected dtype, shape/);
    expect(fault({ a: entry(0, 4, [1.5]) }, new Uint8Array(4))).to.match(/"a": expected dtype, shape/);
    expect(fault({ a: entry(-4, 0, [1]) }, new Uint8Array(4))).to.match(/"a": expected dtype, shape/);
  });

  it('refuses an unknown dtype by name', () => {
    expect(fault({ a: entry(0, 4, [4], 'F3') }, new Uint8Array(4))).to.match(/unknown dtype "F3"/);
    expect(fault({ a: entry(0, 4, [4], 'constructor') }, new Uint8Array(4))).to.match(
      /unknown dtype "constructor"/,
    );
  });

  it('refuses offsets outside the file, as a truncated download has them', () => {
    expect(fault({ a: entry(0, 400) }, new Uint8Array(399))).to.match(
      /"a" lies outside the file: bytes 0 to 400/,
    );
    expect(fault({ a: entry(8, 4, [1]) }, new Uint8Array(8))).to.match(/lies outside the file/);
  });

  it('refuses a size that is not shape × dtype', () => {
    expect(fault({ a: entry(0, 8, [3]) }, new Uint8Array(8))).to.match(/takes 12 bytes, the header gives 8/);
    expect(fault({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, new Uint8Array(8))).to.match(/the header gives 8/);
  });

  it('refuses overlaps, gaps and trailing bytes', () => {
    expect(fault({ a: entry(0, 8), b: entry(4, 12) }, new Uint8Array(12))).to.match(/"a" and "b" overlap/);
    expect(fault({ a: entry(0, 4), b: entry(8, 12) }, new Uint8Array(12))).to.match(
      /4 bytes before tensor "b"/,
    );
    expect(fault({ a: entry(0, 4) }, new Uint8Array(6))).to.match(/last 2 bytes belong to no tensor/);
  });

  it('never fails but with a UserError on a damaged file', () => {
    const { header, data } = safetensorsParts({ a: f32([2, 2], [1, 2, 3, 4]), b: f32([1], [5]) });
    writeSafetensors(file(), header, data);
    const text = Buffer.from(JSON.stringify(header));
    const sound = Buffer.concat([Buffer.alloc(8), text, data]);
    sound.writeBigUInt64LE(BigInt(text.length));
    fc.assert(
      fc.property(fc.nat(sound.length - 1), fc.nat(255), fc.nat(sound.length), (at, byte, length) => {
        const damaged = Buffer.from(sound.subarray(0, length));
        if (at < length) damaged[at] = byte;
        writeFileSync(file(), damaged);
        try {
          const weights = openSafetensors(file());
          weights.close();
        } catch (error) {
          expect(error).to.have.property('name', 'UserError');
        }
      }),
      { numRuns: 200 },
    );
  });
});
