import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { combinations, countCombinations, product } from '../../src/spec/axes.js';
import { describeSchema, describeValue, inputSchema, takesList } from '../../src/spec/describe.js';
import { nearest } from '../../src/did-you-mean.js';

describe('spec/describe', () => {
  it('writes ranges as intervals', () => {
    const words = (schema: z.ZodType): string => describeSchema(inputSchema(schema));
    expect(words(z.number().min(0).lt(1))).to.equal('a number in [0, 1)');
    expect(words(z.number().gt(0).max(1))).to.equal('a number in (0, 1]');
    expect(words(z.number().gt(0))).to.equal('a number > 0');
    expect(words(z.int().min(1))).to.equal('an integer ≥ 1');
    expect(words(z.int())).to.equal('an integer');
    expect(words(z.int().max(4).multipleOf(2))).to.equal('an integer ≤ 4, a multiple of 2');
    expect(words(z.enum(['a', 'b', 'c']))).to.equal('"a", "b" or "c"');
    expect(words(z.union([z.boolean(), z.literal('auto')]))).to.equal('true or false or "auto"');
    expect(words(z.array(z.string()))).to.equal('a list (each a string)');
  });

  it('writes values as the user wrote them, shortened', () => {
    expect(describeValue(1.2)).to.equal('1.2');
    expect(describeValue(Infinity)).to.equal('Infinity');
    expect(describeValue('x')).to.equal('"x"');
    expect(describeValue(undefined)).to.equal('nothing');
    expect(describeValue([1, 2])).to.equal('a list of 2');
    expect(describeValue({ a: 1, b: 2 })).to.equal('a mapping with a, b');
    expect(describeValue('y'.repeat(500))).to.have.length.below(70);
  });

  it('knows which parameters are lists themselves', () => {
    const properties = inputSchema(
      z.strictObject({
        a: z.array(z.int()).optional(),
        b: z.int().default(1),
        c: z.union([z.int(), z.array(z.int())]),
      }),
    ).properties!;
    expect(Object.values(properties).map(takesList)).to.deep.equal([true, false, true]);
  });
});

describe('spec/suggest', () => {
  it('finds swaps, slips and omissions, and nothing far away', () => {
    const names = ['full', 'snapkv', 'spark', 'streaming_llm'];
    expect(nearest('snapvk', names)).to.equal('snapkv');
    expect(nearest('SnapKV', names)).to.equal('snapkv');
    expect(nearest('sprk', names)).to.equal('spark');
    expect(nearest('streamingllm', names)).to.equal('streaming_llm');
    expect(nearest('kivi', names)).to.equal(undefined);
  });

  it('finds a name again after any one edit', () => {
    const name = 'observation';
    fc.assert(
      fc.property(fc.nat(name.length - 1), fc.constantFrom('drop', 'double', 'change'), (at, edit) => {
        const middle = { drop: '', double: name[at]!.repeat(2), change: '#' }[edit];
        expect(nearest(name.slice(0, at) + middle + name.slice(at + 1), ['full', name])).to.equal(name);
      }),
    );
  });
});

describe('spec/axes', () => {
  it('makes as many combinations as it counts, all different', () => {
    const axis = fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.nat(), axis)), (fields) => {
        const all = combinations(fields, () => true);
        expect(all).to.have.length(countCombinations(fields, () => true));
        expect(new Set(all.map(({ values }) => JSON.stringify(values)))).to.have.property('size', all.length);
      }),
    );
  });

  it('has one product of no lists, and none with an empty one', () => {
    expect(product([])).to.deep.equal([[]]);
    expect(product([[1, 2], []])).to.deep.equal([]);
  });
});
