import { expect } from 'chai';
import fc from 'fast-check';
import { parsePythonLiteral } from '../../../src/tasks/loogle/python-literal.js';

/** As Python's `repr` writes it, for text without quotes, backslashes and controls. */
function repr(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  return `{${Object.entries(value as object)
    .map(([key, entry]) => `${repr(key)}: ${repr(entry)}`)
    .join(', ')}}`;
}

const plain = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/['\\\p{C}]/gu, ''));

describe('parsePythonLiteral', () => {
  it('reads what repr writes', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        plain,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(plain, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, (written) => {
        const same = JSON.parse(JSON.stringify(written)) as unknown;
        expect(parsePythonLiteral(repr(written))).to.deep.equal(same);
      }),
      { numRuns: 200 },
    );
  });

  for (const [text, value] of [
    [`"it's"`, "it's"],
    [String.raw`'it\'s a \\ \"'`, `it's a \\ "`],
    [String.raw`'\n\t\x41\u00e9\U0001f600\d'`, '\n\tAé😀\\d'],
    ['-1.5e3', -1500],
    ['(1, 2,)', [1, 2]],
    ["[{'Q': 'a', 'A': {'<mask-0>': 'b'}}, ]", [{ Q: 'a', A: { '<mask-0>': 'b' } }]],
    [' [ ] ', []],
    ['{}', {}],
  ] as const) {
    it(`reads ${text}`, () => {
      expect(parsePythonLiteral(text)).to.deep.equal(value);
    });
  }

  for (const [text, message] of [
    ['', 'expected a value at character 1, found the end'],
    ['[1, 2', 'expected "," or "]" at character 6, found the end'],
    ['[1 2]', 'expected "," or "]" at character 4'],
    ["{1: 'a'}", 'expected a string as key at character 2'],
    ["{'a' 1}", 'expected ":" at character 6'],
    ["'a' 'b'", 'expected the end at character 5'],
    ["'a\nb'", 'expected a value at character 1'],
    ["__import__('os').system('true')", 'expected a value at character 1'],
    ["[x for x in 'abc']", 'expected a value at character 2'],
    [String.raw`'\Uffffffff'`, 'no character has the number 4294967295'],
    ['['.repeat(100), 'expected at most 64 levels'],
  ] as const) {
    it(`refuses ${text.slice(0, 40)}`, () => {
      expect(() => parsePythonLiteral(text)).to.throw(SyntaxError, message);
    });
  }

  it('makes no prototype of a key', () => {
    const value = parsePythonLiteral("{'__proto__': {'polluted': True}}") as object;
    expect(Object.keys(value)).to.deep.equal(['__proto__']);
    expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
  });
});
