/**
 * Ways to break JSON so that it still is JSON (or nearly): other types, absurd numbers, hostile keys, deep nesting.
 *
 * Values are replaced whatever they mean.
 */
import type { Random } from '../../../src/base/random.js';
import type { Mutation } from './kind.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Characters, of a list that is made of one value. */
const LONGEST_LIST = 2 ** 20;

const HOSTILE_KEYS = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'length',
    'then',
    'toJSON',
  ],
  ...['', '0', '-1', ' ', '\0', '\ud800', '../x', 'a'.repeat(5000), '<<', 'format', 'type'],
];

const RAW = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1', '2', '7', '0.5', '1e308', '1e999', '-1e999', '1e-320'],
  ...['9007199254740991', '9007199254740993', '18446744073709551616', '4294967295', '2147483648', '65536'],
  ...['NaN', 'Infinity', '-Infinity', 'undefined', '01', '.5', "'a'", '// x', '0x10'],
  ...[
    '""',
    '" "',
    '"0"',
    '"a"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u001b[31m\\u202e"',
    '"\\uffff"',
  ],
  ...['"__proto__"', '"constructor"', '"toString"', '"NaN"', '"default"'],
  ...[
    '"../outside/secret.safetensors"',
    '"/etc/passwd"',
    '"../../../../../../etc/passwd"',
    '"C:\\\\x"',
    '"."',
    '".."',
  ],
  ...[
    '"(a+)+$"',
    '"[" ',
    '"(?<a>x)(?<a>y)"',
    '"\\\\p{X}"',
    '"{{ x"',
    '"{% for i in range(1000000000) %}x{% endfor %}"',
  ],
  ...['[]', '{}', '[[]]', '[{}]', '[null]', '[""]', '[0]', '[0,0]', '[1,[2,[3]]]'],
  ...[
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"a":1,"a":2}',
    '{"":null}',
  ],
];

const BIG: readonly (() => string)[] = [
  () => `"${'x'.repeat(200_000)}"`,
  () => `"${'(a|a?)+'.repeat(2000)}"`,
  () => `"${'\\u0000'.repeat(20_000)}"`,
  () => `[${'0,'.repeat(99_999)}0]`,
  () => `[${'[],'.repeat(50_000)}[]]`,
  () => `[${'"",'.repeat(50_000)}""]`,
  () => `{${Array.from({ length: 20_000 }, (_, i) => `"k${i}":0`).join(',')}}`,
  () => `${'['.repeat(200)}${']'.repeat(200)}`,
  () => `${'['.repeat(5000)}${']'.repeat(5000)}`,
  () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  () => `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`,
  () => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  () => '9'.repeat(5000),
];

/** A place in a document: what holds a value, and under which key. */
interface Slot {
  readonly parent: Json[] | { [key: string]: Json };
  readonly key: string;
}

/** Those of deep or endless documents only in part. */
function slotsOf(value: Json, depth = 0, found: Slot[] = []): Slot[] {
  if (typeof value !== 'object' || value === null || depth > 200 || found.length > 20_000) return found;
  for (const key of Object.keys(value)) {
    found.push({ parent: value, key });
    slotsOf((value as Record<string, Json>)[key]!, depth + 1, found);
  }
  return found;
}

function get({ parent, key }: Slot): Json {
  return (parent as Record<string, Json>)[key]!;
}

function set({ parent, key }: Slot, value: Json): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

/** A text with a value of the document changed; the text itself where it is not JSON, or would get too large. */
export function breakJson(text: string, random: Random): string {
  try {
    return changed(text, random);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return text;
    throw error;
  }
}

/** Texts that `JSON.stringify` would not write, put in afterwards. */
class RawTexts {
  private readonly texts: string[] = [];

  /** Stands for the text in a document. */
  mark(text: string): string {
    return `@@raw:${this.texts.push(text) - 1}@@`;
  }

  restore(written: string): string {
    return written.replace(/"@@raw:(\d+)@@"/g, (_, index: string) =>
      this.restore(this.texts[Number(index)]!),
    );
  }
}

function changed(text: string, random: Random): string {
  const root = { top: JSON.parse(text) as Json };
  const raw = new RawTexts();
  for (let left = 1 + random.below(3); left > 0; left--) breakValue(root, raw, random);
  // What is left of a document of which nothing is left.
  const written = JSON.stringify(root.top, undefined, random.pick([0, 0, 1])) as string | undefined;
  return raw.restore(written ?? '');
}

function breakValue(root: { top: Json }, raw: RawTexts, random: Random): void {
  const slots = slotsOf(root);
  // The first slot is the whole document: seldom of interest.
  const slot =
    slots.length > 1 && random.below(20) > 0 ? slots[1 + random.below(slots.length - 1)]! : slots[0]!;
  const { parent } = slot;
  switch (random.below(12)) {
    case 0:
      set(slot, raw.mark(random.pick(BIG)()));
      return;
    case 1:
      if (slot !== slots[0]) Reflect.deleteProperty(parent, slot.key);
      if (Array.isArray(parent))
        parent.splice(0, parent.length, ...parent.filter((entry) => (entry as unknown) !== undefined));
      return;
    case 2:
      if (!Array.isArray(parent)) set({ parent, key: random.pick(HOSTILE_KEYS) }, raw.mark(random.pick(RAW)));
      return;
    case 3: // the same key twice
      if (Array.isArray(parent) || slot === slots[0]) return;
      set(slot, raw.mark(`${random.pick(RAW)},${JSON.stringify(slot.key)}:${JSON.stringify(get(slot))}`));
      return;
    case 4:
      set(slot, structuredClone(get(random.pick(slots))));
      return;
    case 5: {
      const value = get(slot);
      const most = Math.floor(LONGEST_LIST / raw.restore(JSON.stringify(value)).length);
      set(
        slot,
        Array.from({ length: Math.min(most, random.pick([0, 1, 2, 3, 50, 2000])) }, () =>
          structuredClone(value),
        ),
      );
      return;
    }
    case 6:
      set(
        slot,
        typeof get(slot) === 'number'
          ? (get(slot) as number) + random.pick([-1, 1, 0.5, 1e6, -1e6])
          : [get(slot)],
      );
      return;
    case 7: {
      const value = get(slot);
      set(slot, { [random.pick(HOSTILE_KEYS)]: value });
      return;
    }
    default:
      set(slot, raw.mark(random.pick(RAW)));
  }
}

/** Of a file that is one JSON value. */
export const jsonValue: Mutation = (bytes, random) => Buffer.from(breakJson(bytes.toString(), random));

/** Of a file of JSON lines: one of them is broken, or lines change places. */
export const jsonLine: Mutation = (bytes, random) => {
  const lines = bytes.toString().split('\n');
  const at = random.below(lines.length);
  switch (random.below(8)) {
    case 0:
      lines.splice(at, 0, random.pick(['', ' ', 'null', '[]', '{}', '{', '1', '"a"', '\0', '{"format":2}']));
      break;
    case 1:
      lines.splice(
        at,
        0,
        ...Array.from(
          {
            length: Math.min(random.pick([1, 100, 5000]), Math.floor(LONGEST_LIST / (lines[at]!.length + 1))),
          },
          () => lines[at]!,
        ),
      );
      break;
    case 2:
      lines.splice(at, 1);
      break;
    case 3:
      return Buffer.from(
        bytes.toString().replaceAll('\n', random.pick(['\r\n', '\r', '', '\u2028', '\n\n'])),
      );
    default:
      lines[at] = breakJson(lines[at]!, random);
  }
  return Buffer.from(lines.join('\n'));
};
