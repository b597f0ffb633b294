import { expect } from 'chai';
import fc from 'fast-check';
import { codeSimilarity } from '../../../src/tasks/scorers/code-similarity.js';
import { similarityRatio } from '../../../src/tasks/scorers/sequence-matcher.js';

/** The same by trying every block: earliest in a, then in b, of the longest. Without autojunk. */
function matches(a: string, b: string): number {
  for (let size = Math.min(a.length, b.length); size > 0; size--) {
    for (let i = 0; i + size <= a.length; i++) {
      const j = b.indexOf(a.slice(i, i + size));
      if (j < 0) continue;
      return size + matches(a.slice(0, i), b.slice(0, j)) + matches(a.slice(i + size), b.slice(j + size));
    }
  }
  return 0;
}

const ratio = (a: string, b: string) => similarityRatio(Array.from(a), Array.from(b));
const text = fc.stringMatching(/^[abc]{0,12}$/);

describe('difflib ratio', () => {
  it('equals the search for every block', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = a === '' && b === '' ? 1 : (2 * matches(a, b)) / (a.length + b.length);
        expect(ratio(a, b)).to.equal(expected);
      }),
    );
  });

  it('is that of the documented examples', () => {
    expect(ratio('abcd', 'bcde')).to.equal(0.75);
    expect(ratio('tide', 'diet')).to.equal(0.25);
    expect(ratio('diet', 'tide')).to.equal(0.5);
  });

  it('starts no block at a character that makes up over 1 % of 200 or more', () => {
    const long = 'ab'.repeat(100);
    expect(ratio(`x${long}`, `y${long}`)).to.equal(0);
    expect(ratio(`x${long}`.slice(0, 199), `y${long}`.slice(0, 199))).to.be.above(0.99);
    expect(ratio(`x${long}`, `x${long}`)).to.equal(1); // lengthened from the rare character
    expect(ratio(long, long)).to.equal(1); // and from the very beginning
    expect(ratio(`y${long}`, long)).to.equal(0);
    expect(ratio(long, `y${long}`.slice(0, 199))).to.be.above(0.99); // only the second text counts
    // 200 characters: three of a kind are allowed, four are not.
    const unlike = (count: number) =>
      Array.from({ length: 200 }, (_, i) => (i >= 200 - count ? 'a' : String.fromCodePoint(0x4e00 + i)));
    expect(similarityRatio(['a'], unlike(3))).to.equal(2 / 201);
    expect(similarityRatio(['a'], unlike(4))).to.equal(0);
  });
});

describe('code similarity', () => {
  it('takes the first line without comment and backquote', () => {
    expect(codeSimilarity('```python\n# note\nx = 1 // 2\nreturn depth\nreturn', 'return depth')).to.equal(1);
    expect(codeSimilarity('\n\nreturn depth', 'return depth')).to.equal(1);
    expect(codeSimilarity(' \nreturn depth', 'return depth')).to.be.below(0.5);
  });

  it('is 1 for two empty lines, 0 for one', () => {
    expect(codeSimilarity('# only a comment', '')).to.equal(1);
    expect(codeSimilarity('', 'x')).to.equal(0);
    expect(codeSimilarity('x', '')).to.equal(0);
  });
});
