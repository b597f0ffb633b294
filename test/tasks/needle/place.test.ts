import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { passage, placeNeedles, spreadDepths } from '../../../src/tasks/needle/place.js';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import { folderOf, removeFolders } from '../loader-support.js';

describe('placeNeedles', () => {
  const sentences = ['a b c.', 'd.', 'e f g h i.', 'j.'];

  for (const [depth, place] of [
    [0, 0],
    [29, 0],
    [30, 1],
    [39.9, 1],
    [40, 2],
    [89, 2],
    [90, 3],
    [99, 3],
    [100, 4],
  ] as const) {
    it(`puts a needle at ${depth} per cent of ten words before sentence ${place}`, () => {
      expect(placeNeedles(sentences, ['N'], [depth])).to.deep.equal([
        ...sentences.slice(0, place),
        'N',
        ...sentences.slice(place),
      ]);
    });
  }

  it('keeps text and needles, each in its order', () => {
    const texts = fc.array(fc.constantFrom('a.', 'b c.', 'd e f.'), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 }), (text, depths) => {
        const sorted = depths.sort((a, b) => a - b);
        const needles = sorted.map((_, i) => `N${i}`);
        const placed = placeNeedles(text, needles, sorted);
        expect(placed.filter((sentence) => !sentence.startsWith('N'))).to.deep.equal(text);
        expect(placed.filter((sentence) => sentence.startsWith('N'))).to.deep.equal(needles);
      }),
    );
  });
});

describe('spreadDepths', () => {
  it('begins at the depth and spaces the rest evenly before the end', () => {
    expect(spreadDepths(40, 1)).to.deep.equal([40]);
    expect(spreadDepths(40, 3)).to.deep.equal([40, 60, 80]);
    expect(spreadDepths(100, 2)).to.deep.equal([100, 100]);
  });
});

describe('passage', () => {
  after(removeFolders);

  it('begins behind the skipped words, at the beginning of a sentence', () => {
    const path = join(folderOf({ 'essay.txt': 'One two. Three four five. Six. Seven eight.' }), 'essay.txt');
    const files = new DataFiles();
    expect(passage(files, path, 0, 4)).to.deep.equal(['One two.', 'Three four']);
    expect(passage(files, path, 2, 4)).to.deep.equal(['Three four five.', 'Six.']);
    expect(passage(files, path, 3, 4)).to.deep.equal(['Six.', 'Seven']);
    expect(passage(files, path, 6, 4)).to.deep.equal(['Seven eight.', 'One two.']);
  });
});
