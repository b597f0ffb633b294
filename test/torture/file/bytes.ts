/**
 * Ways to break any file, whatever it holds.
 *
 * They are likely to be taken for something else.
 */
import type { Random } from '../../../src/base/random.js';
import type { Mutation } from './kind.js';

/** Little-endian integers that overflow, wrap, or mean a lot of memory. */
const INTEGERS: readonly bigint[] = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0xffffn, 1_000_000n],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 53n - 1n, 2n ** 53n + 1n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];
const NUMBERS = [
  ...['-1', '0', '-0', '0.5', '1e308', '1e999', '-1e999', '4294967296', '9007199254740993', '1e-320'],
  ...['99999999999999999999', '2147483648', 'NaN', 'Infinity', '0x10', '00', '1_0', '١', '1e', ''],
];
/** In Thrift and the like: the largest variable-length integers. */
const VARINTS = ['ffffffff07', 'ffffffff0f', 'ffffffffffffffffff01', 'feffffffffffffffff01', '808080808000'];
const LONGEST = 2 ** 18;

/** A place in `[0, size]`, more often near the ends, where headers and footers are. */
export function placeIn(size: number, random: Random): number {
  const near = Math.min(size, 64 + random.below(512));
  switch (random.below(4)) {
    case 0:
      return random.below(near + 1);
    case 1:
      return size - random.below(near + 1);
    default:
      return random.below(size + 1);
  }
}

function range(size: number, random: Random): readonly [number, number] {
  const start = placeIn(size, random);
  const length = random.below(3) === 0 ? random.below(size - start + 1) : random.below(33);
  return [start, Math.min(size, start + length)];
}

function replaced(bytes: Buffer, start: number, end: number, by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(end)]);
}

const flips: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  for (let left = 1 + random.below(4); left > 0 && out.length > 0; left--) {
    const at = Math.min(out.length - 1, placeIn(out.length, random));
    out[at]! ^= 1 << random.below(8);
  }
  return out;
};

const setBytes: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes);
  for (let left = 1 + random.below(8); left > 0 && out.length > 0; left--) {
    const at = Math.min(out.length - 1, placeIn(out.length, random));
    out[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0x5c, random.below(256)]);
  }
  return out;
};

const integers: Mutation = (bytes, random) => {
  const width = random.pick([2, 4, 8]);
  if (bytes.length < width) return bytes;
  const out = Buffer.from(bytes);
  const at = Math.min(bytes.length - width, placeIn(bytes.length, random));
  const aligned = random.below(2) === 0 ? at : at - (at % width);
  const around = BigInt(bytes.length - 8 + random.below(17));
  const value = BigInt.asUintN(8 * width, random.below(4) === 0 ? around : random.pick(INTEGERS));
  for (let i = 0; i < width; i++) out[aligned + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return out;
};

const varints: Mutation = (bytes, random) => {
  const at = placeIn(bytes.length, random);
  return replaced(bytes, at, at + random.below(3), Buffer.from(random.pick(VARINTS), 'hex'));
};

/** A number written in digits becomes another one. */
const numbers: Mutation = (bytes, random) => {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(/-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g)];
  if (found.length === 0) return bytes;
  const { index, 0: digits } = random.pick(found);
  return replaced(bytes, index, index + digits.length, Buffer.from(random.pick(NUMBERS)));
};

const truncated: Mutation = (bytes, random) => bytes.subarray(0, placeIn(bytes.length, random));

const cut: Mutation = (bytes, random) => replaced(bytes, ...range(bytes.length, random), Buffer.alloc(0));

const filled: Mutation = (bytes, random) => {
  const [start, end] = range(bytes.length, random);
  return replaced(bytes, start, end, Buffer.alloc(end - start, random.pick([0, 0xff, 0x20])));
};

/** A piece of the file stands somewhere else as well. */
const spliced: Mutation = (bytes, random) => {
  const piece = bytes.subarray(...range(bytes.length, random));
  const at = placeIn(bytes.length, random);
  return replaced(bytes, at, random.below(2) === 0 ? at : at + piece.length, piece);
};

const repeated: Mutation = (bytes, random) => {
  const [start, end] = range(bytes.length, random);
  const piece = bytes.subarray(start, end);
  const times = Math.min(random.pick([2, 10, 1000, 100_000]), Math.floor(LONGEST / (piece.length + 1)));
  return replaced(bytes, end, end, Buffer.concat(Array.from({ length: times }, () => piece)));
};

const inserted: Mutation = (bytes, random) => {
  const at = placeIn(bytes.length, random);
  const piece = random.pick([
    ...[
      '\0',
      '\0\0\0\0',
      '\ufeff',
      '\u2028',
      '\x1b[2J',
      '\r\n',
      '\n',
      '"',
      '\\',
      '\\ud800',
      '\\u0000',
      ',',
      '}',
      ']',
    ],
    ...['__proto__', '${x}', '../', '{"a":'],
  ]);
  return replaced(bytes, at, at, Buffer.from(piece));
};

/** Bytes that no UTF-8 text has. */
const notText: Mutation = (bytes, random) => {
  const at = placeIn(bytes.length, random);
  return replaced(
    bytes,
    at,
    at,
    Buffer.from(random.pick(['ff', 'c0af', 'eda080', 'f4908080', 'e282', 'fffe']), 'hex'),
  );
};

const nothing: Mutation = () => Buffer.alloc(0);

export const BYTE_MUTATIONS: readonly Mutation[] = [
  ...[flips, flips, flips, setBytes, setBytes, integers, integers, integers, varints, numbers, numbers],
  ...[truncated, truncated, cut, filled, spliced, spliced, repeated, inserted, inserted, notText, nothing],
];
