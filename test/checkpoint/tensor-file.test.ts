import { appendFileSync, closeSync, openSync, truncateSync, utimesSync, writeSync } from 'node:fs';
import { expect } from 'chai';
import { openGguf } from '../../src/checkpoint/gguf/file.js';
import { sameWeights, widenWeights } from '../../src/checkpoint/packed-weights.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import type { TensorFile } from '../../src/checkpoint/tensor-file.js';
import {
  f32,
  type RawTensor,
  safetensorsParts,
  userError,
  useTempFolder,
  writeGguf,
  writeSafetensors,
} from '../model/support.js';

const halves = (dtype: 'F16' | 'BF16', shape: readonly number[], bits: readonly number[]): RawTensor => ({
  ...{ dtype, shape },
  bytes: new Uint8Array(Uint16Array.from(bits).buffer),
});

describe('tensors of a file', () => {
  const temp = useTempFolder();
  const path = (): string => temp('x.safetensors');
  const open = (tensors: Readonly<Record<string, RawTensor>>): TensorFile => {
    const { header, data } = safetensorsParts(tensors);
    writeSafetensors(path(), header, data);
    return openSafetensors(path());
  };

  it('have the bytes of the file', () => {
    const weights = open({
      single: f32([2, 2], [1, 2, 3, 4]),
      half: halves('F16', [3], [0x3c00, 0xc000, 0x7bff]),
      brain: halves('BF16', [2, 1, 2], [0x3f80, 0x7fc0, 0xff80, 0]),
    });
    const { single, half, brain } = Object.fromEntries(weights.names.map((n) => [n, weights.packed(n)]));
    expect(single).to.include({ form: 'f32', rows: 2, columns: 2, rowBytes: 8 });
    expect([...widenWeights(single!)]).to.deep.equal([1, 2, 3, 4]);
    expect(half).to.include({ form: 'f16', rows: 1, columns: 3, rowBytes: 6 });
    expect([...half!.data]).to.deep.equal([0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b]);
    expect(brain).to.include({ form: 'bf16', rows: 2, columns: 2, rowBytes: 4 });
    expect([...weights.read('brain')]).to.deep.equal([1, NaN, -Infinity, 0]);
    weights.close();
  });

  it('are float32 where a float16 is not finite', () => {
    for (const bits of [0x7c00, 0xfc00, 0x7e01]) {
      const weights = open({ half: halves('F16', [2, 1], [0x3c00, bits]) });
      const packed = weights.packed('half');
      expect(packed).to.include({ form: 'f32', rows: 2, columns: 1, rowBytes: 4 });
      expect(widenWeights(packed)[0]).to.equal(1);
      expect(Number.isFinite(widenWeights(packed)[1])).to.equal(false);
      expect(weights.packed('half', { first: 0, count: 1 }).form).to.equal('f16');
      weights.close();
    }
  });

  it('give some of their rows, or of their numbers', () => {
    const weights = open({ t: f32([3, 2], [1, 2, 3, 4, 5, 6]) });
    expect([...widenWeights(weights.packed('t', { first: 1, count: 2 }))]).to.deep.equal([3, 4, 5, 6]);
    const spans = [
      { first: 0, count: 2 },
      { first: 4, count: 1 },
    ];
    expect([...widenWeights(weights.part('t', { columns: 1, spans }))]).to.deep.equal([1, 2, 5]);
    expect(userError(() => weights.packed('t', { first: 2, count: 2 })).message).to.equal(
      'tensor "t" of shape [3, 2] has no rows 2 to 3 of 2 numbers',
    );
    weights.close();
  });

  it('give numbers that lie inside a block', () => {
    const data = new Uint8Array(2 * 34);
    for (const block of [0, 1]) {
      data[34 * block + 1] = 0x3c; // scale 1
      for (let i = 0; i < 32; i++) data[34 * block + 2 + i] = 32 * block + i;
    }
    writeGguf(temp('x.gguf'), { tensors: [{ name: 't', dimensions: [64], type: 8, offset: 0 }], data });
    const { tensors } = openGguf(temp('x.gguf'));
    const part = tensors.part('t', { columns: 1, spans: [{ first: 30, count: 4 }] });
    expect(part).to.include({ form: 'f32', rows: 4, columns: 1 });
    expect([...widenWeights(part)]).to.deep.equal([30, 31, 32, 33]);
    const whole = tensors.packed('t');
    expect(whole).to.include({ form: 'q8', rows: 1, columns: 64, rowBytes: 80 });
    expect(sameWeights(whole, tensors.packed('t'))).to.equal(true);
    tensors.close();
  });

  it('that were changed, cut or lengthened while they are read end in an error with file and tensor', () => {
    const changes: Readonly<Record<string, () => void>> = {
      touched: () => {
        utimesSync(path(), 1, 1);
      },
      'written to': () => {
        const fd = openSync(path(), 'r+');
        writeSync(fd, Uint8Array.of(1), 0, 1, 0);
        closeSync(fd);
        utimesSync(path(), 2, 2);
      },
      lengthened: () => {
        appendFileSync(path(), 'x');
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      const weights = open({ a: f32([2], [1, 2]) });
      change();
      for (const read of [() => weights.packed('a'), () => weights.read('a')]) {
        const error = userError(read);
        expect(error.place, what).to.equal(path());
        expect(error.message, what).to.equal('was changed while it was read (tensor "a")');
        expect(error.hint, what).to.match(/run it again/);
      }
      weights.close();
    }
    const weights = open({ a: f32([2], [1, 2]) });
    truncateSync(path(), 70);
    expect(userError(() => weights.packed('a')).message).to.equal(
      'became shorter while it was read (tensor "a")',
    );
    weights.close();
  });
});
