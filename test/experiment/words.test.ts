import { expect } from 'chai';
import fc from 'fast-check';
import { combinations, countCombinations, product } from '../../src/experiment/axes.js';
import { nearest } from '../../src/base/did-you-mean.js';

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
