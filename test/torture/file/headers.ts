/**
 * Ways to break binary files at the places that say how long, how many and what.
 *
 * They are those of safetensors and GGUF files, and of hostile zip archives. A file that was broken before and cannot be
 * walked through is left as it is.
 */
import { zipSync, type Zippable } from 'fflate';
import type { Random } from '../../../src/base/random.js';
import { breakJson } from './json.js';
import type { Mutation } from './kind.js';

/** The JSON header is broken; its length is right again. */
export const safetensorsHeader: Mutation = (bytes, random) => {
  if (bytes.length < 8) return bytes;
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > bytes.length - 8) return bytes;
  const header = Buffer.from(breakJson(bytes.subarray(8, 8 + length).toString(), random));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, bytes.subarray(8 + length)]);
};

/** A number in the header of a GGUF file. */
interface Place {
  readonly at: number;
  readonly width: number;
}

/** Bytes of a metadata value by its type; 8 is a string, 9 an array. */
const WIDTHS: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};

/** Where the header has counts, lengths, types, dimensions, offsets and values. Throws RangeError where it cannot be walked through. */
function ggufPlaces(bytes: Buffer): Place[] {
  const places: Place[] = [];
  let at = 4;
  const number = (width: number): number => {
    places.push({ at, width });
    const value =
      width === 8
        ? Number(bytes.readBigUInt64LE(at))
        : width === 4
          ? bytes.readUInt32LE(at)
          : bytes.readUInt8(at);
    at += width;
    return value;
  };
  const text = (): void => {
    at += number(8);
  };
  const value = (type: number): void => {
    const width = WIDTHS[type];
    if (width !== undefined) number(width);
    else if (type === 8) text();
    else {
      const of = number(4);
      for (let left = number(8); left > 0; left--) value(of);
    }
  };
  number(4);
  const tensors = number(8);
  for (let left = number(8); left > 0; left--) {
    text();
    value(number(4));
  }
  for (let left = tensors; left > 0; left--) {
    text();
    for (let dimensions = number(4); dimensions > 0; dimensions--) number(8);
    number(4);
    number(8);
  }
  return places;
}

/** Beside powers of two: numbers of types, not a number, and an infinity. */
const SMALL = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n, 13n, 30n, 32n, 255n];
const LARGE = [0x7fc00000n, 0x7f800000n, 0xbf800000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];
const LARGER = [
  2n ** 32n,
  2n ** 40n,
  2n ** 53n,
  2n ** 61n + 1n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
  0x7ff8n << 48n,
];

export const ggufNumber: Mutation = (bytes, random) => {
  let places: Place[];
  try {
    places = ggufPlaces(bytes);
  } catch (error) {
    if (error instanceof RangeError) return bytes;
    throw error;
  }
  const out = Buffer.from(bytes);
  // Half of them not in the long lists of tokens.
  const rare =
    random.below(2) === 0 ? places.filter((_, index) => index < 40 || index > places.length - 80) : places;
  for (let left = 1 + random.below(2); left > 0; left--) {
    const { at, width } = random.pick(rare);
    const values = [...SMALL, ...(width >= 4 ? LARGE : []), ...(width >= 8 ? LARGER : [])];
    const old = BigInt(out.readUInt8(at));
    const value = BigInt.asUintN(
      8 * width,
      random.below(3) === 0 ? old + BigInt(random.below(3)) - 1n : random.pick(values),
    );
    for (let i = 0; i < width; i++) out[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
  return out;
};

const ENTRY_NAMES = [
  ...[
    'a.jsonl',
    'data/a.jsonl',
    'b/c.jsonl',
    'a.json',
    'a.jsonl/',
    '../a.jsonl',
    '../../outside/a.jsonl',
    '/tmp/a.jsonl',
  ],
  ...[
    'data/../../a.jsonl',
    'C:\\a.jsonl',
    '..\\a.jsonl',
    'a\0.jsonl',
    '',
    '.',
    './a.jsonl',
    '//a.jsonl',
    'b/',
    'x'.repeat(60_000),
  ],
];
let zeros: Uint8Array | undefined;

function entryContent(random: Random): Uint8Array {
  switch (random.below(6)) {
    case 0:
      return (zeros ??= new Uint8Array(2 ** 22)); // a thousandfold
    case 1:
      return new Uint8Array(0);
    case 2:
      return Buffer.from('{"a":"b"}\n'.repeat(random.pick([1, 100, 20_000])));
    default:
      return Buffer.from('{"context":"a","question":"b","answers":["c"]}\n');
  }
}

let crowded: Buffer | undefined;

/** An archive with more entries than any data set has. */
function crowdedZip(): Buffer {
  const names = Array.from({ length: 12_000 }, (_, i) => [`f${i}`, new Uint8Array(0)] as const);
  return Buffer.from(zipSync(Object.fromEntries(names)));
}

/** An archive of hostile names, too many entries, or too much in them. */
export const hostileZip: Mutation = (_, random) => {
  if (random.below(20) === 0) return (crowded ??= crowdedZip());
  const entries: Zippable = {};
  for (let left = 1 + random.below(4); left > 0; left--) {
    entries[random.pick(ENTRY_NAMES)] = [entryContent(random), { level: random.pick([0, 1, 9] as const) }];
  }
  return Buffer.from(zipSync(entries));
};
