/**
 * Ways to break YAML: what the language offers beyond plain data, and too much of it.
 *
 * A few words of specs make a bomb reach a field.
 */
import { parse, stringify } from 'yaml';
import type { Random } from '../../../src/base/random.js';
import { placeIn } from './bytes.js';
import { breakJson } from './json.js';
import type { Mutation } from './kind.js';

/** Bytes, of a text that is parsed to be broken. */
const LONGEST = 20_000;

const SIGNS = [
  ...[
    '&a ',
    '*a ',
    '*nowhere ',
    '!!binary ',
    '!!js/function ',
    '!!set ',
    '!!omap ',
    '!!timestamp ',
    '!!str ',
    '!!null ',
  ],
  ...[
    '!<tag:x> ',
    '<<: *a\n',
    '? ',
    ': ',
    '- ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '%TAG ! x\n',
    '\t',
    '{',
    '}',
    '[',
    ']',
  ],
  ...[
    '|\n',
    '>\n',
    '|9+\n',
    '"',
    "'",
    '#',
    '@',
    '`',
    '\0',
    '\u0085',
    '\u2028',
    '\ufeff',
    '~',
    '.nan',
    '.inf',
    '-.inf',
  ],
  ...[
    '0x1F',
    '0o17',
    '1_000',
    '0b1',
    'yes',
    '2001-01-01',
    '1e999',
    '99999999999999999999',
    'null',
    '"\\ud800"',
    ', ',
  ],
  ...[
    '? [a, b]\n: c\n',
    '? {a: b}\n',
    '__proto__: {polluted: 1}\n',
    'constructor: {prototype: {polluted: 1}}\n',
  ],
];

const sign: Mutation = (bytes, random) => {
  let text = bytes.toString();
  for (let left = 1 + random.below(3); left > 0; left--) {
    const lines = [...text.matchAll(/(?:^|[-:[{,] )/gm)].map(({ index, 0: found }) => index + found.length);
    const at =
      random.below(3) === 0 || lines.length === 0 ? placeIn(text.length, random) : random.pick(lines);
    text =
      text.slice(0, at) + random.pick(SIGNS) + text.slice(at + (random.below(3) === 0 ? random.below(6) : 0));
  }
  return Buffer.from(text);
};

/** The same data, a value of it broken: as JSON, which is YAML, or in block style. */
const value: Mutation = (bytes, random) => {
  const data = bytes.length > LONGEST ? undefined : plainData(bytes.toString());
  if (data === undefined) return bytes;
  const broken = breakJson(data, random);
  if (random.below(2) === 0 || broken.length > LONGEST) return Buffer.from(broken);
  try {
    return Buffer.from(stringify(JSON.parse(broken)));
  } catch {
    return Buffer.from(broken);
  }
};

function plainData(text: string): string | undefined {
  try {
    return JSON.stringify(parse(text, { logLevel: 'error' }));
  } catch {
    return undefined;
  }
}

const layers = (depth: number, width: number, merge: boolean): string =>
  Array.from({ length: depth }, (_, i) => {
    const below = i === 0 ? 'lol' : `*a${i - 1}`;
    return merge && i > 0
      ? `a${i}: &a${i} { <<: [${`${below},`.repeat(width)}] }`
      : `a${i}: &a${i} ${merge ? '{ k: 1 }' : `[${`${below},`.repeat(width)}]`}`;
  }).join('\n');

/** Just under the size at which a spec is refused unread. */
const BOMBS: readonly ((random: Random) => string)[] = [
  () => `${layers(9, 9, false)}\ntasks: *a8\n`,
  () => `${layers(30, 2, false)}\ncache: *a29\n`,
  () => `${layers(12, 9, true)}\n`,
  () => 'cache: &a [*a]\n',
  () => 'tasks: &a { task: *a }\n',
  (random) => `model: ${'['.repeat(random.pick([100, 5000, 100_000]))}\n`,
  (random) => {
    const depth = random.pick([100, 3000, 50_000]);
    return `model: ${'['.repeat(depth)}${']'.repeat(depth)}\n`;
  },
  (random) => `model: ${'{a: '.repeat(random.pick([100, 5000, 30_000]))}\n`,
  (random) => `cache:\n${'- '.repeat(random.pick([100, 5000, 100_000]))}x\n`,
  (random) => `${'? '.repeat(random.pick([100, 5000, 30_000]))}x\n`,
  (random) =>
    `model:\n${Array.from({ length: random.pick([50, 700]) }, (_, i) => `${' '.repeat(i + 1)}a:\n`).join('')}`,
  (random) => Array.from({ length: random.pick([1000, 12_000]) }, (_, i) => `k${i}: 0\n`).join(''),
  (random) =>
    `tasks:\n${Array.from({ length: random.pick([1000, 12_000]) }, (_, i) => `- t${i}\n`).join('')}`,
  (random) =>
    `cache:\n${Array.from({ length: random.pick([1000, 12_000]) }, (_, i) => `- m${i}: {}\n`).join('')}`,
  (random) =>
    `cache:\n- snapkv:\n${Array.from({ length: random.pick([100, 10_000]) }, (_, i) => `    p${i}: 1\n`).join('')}`,
  (random) =>
    `cache: [${Array.from({ length: 40 }, () => `{ snapkv: { ratio: [${list(random)}] } }`).join(', ')}]\n`,
  (random) =>
    `cache: [[${Array.from({ length: 6 }, () => `{ spark: { ratio: [${list(random)}] } }`).join(', ')}]]\n`,
  (random) =>
    `context: [${Array.from({ length: random.pick([1000, 18_000]) }, (_, i) => i + 100).join(',')}]\n`,
  (random) => `seed: [${Array.from({ length: random.pick([1000, 18_000]) }, (_, i) => i).join(',')}]\n`,
  (random) => `name: ${'x'.repeat(random.pick([1000, 120_000]))}\n`,
  (random) => `model: ["${'m'.repeat(random.pick([1000, 120_000]))}"]\n`,
  (random) => `cache: ["${'snapkv'.repeat(random.pick([1000, 18_000]))}"]\n`,
  (random) => `${'&a '.repeat(random.pick([2, 1000]))}x: 1\n`,
  (random) => `model: "${'\\x00'.repeat(random.pick([10, 30_000]))}"\n`,
  (random) => '\n'.repeat(random.pick([100, 130_000])),
  (random) => '#\n'.repeat(random.pick([100, 65_000])),
];

function list(random: Random): string {
  return Array.from({ length: random.pick([2, 30, 200]) }, (_, i) => (i / 1000).toString()).join(', ');
}

/** In place of the field of the same name, or before everything. */
const bomb: Mutation = (bytes, random) => {
  const text = random.pick(BOMBS)(random);
  const field = /^(\w+):/m.exec(text.slice(0, 2000))?.[1] ?? '';
  const kept = bytes.toString().replace(new RegExp(`^${field}:.*\\n(?:[ -].*\\n)*`, 'm'), '');
  return Buffer.from(random.below(3) === 0 ? text : random.below(2) === 0 ? text + kept : kept + text);
};

export const YAML_MUTATIONS: readonly Mutation[] = [sign, sign, value, value, value, value, bomb];
