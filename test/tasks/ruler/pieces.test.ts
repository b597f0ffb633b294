import { expect } from 'chai';
import fc from 'fast-check';
import { joinPieces, pieceOf, placeAt, splitPieces, withNeedles } from '../../../src/tasks/ruler/pieces.js';

const english = (...sentences: string[]) => sentences.map((sentence) => pieceOf(sentence, ' '));

describe('ruler/pieces', () => {
  const TEXT = english(
    ...Array.from({ length: 50 }, (_, i) => `a${i} b.`),
    Array.from({ length: 50 }, (_, i) => `w${i}`).join(' '),
    ...Array.from({ length: 25 }, (_, i) => `c${i} d e f.`),
  );

  // 250 words: two each in the first fifty sentences, fifty in the next, four each in the rest.
  for (const [depth, piece, unit, why] of [
    [0, 0, 0, 'the beginning'],
    [9.6, 12, 0, 'the end of a sentence there'],
    [10, 12, 0, 'the last end at or before it'],
    [41, 50, 0, 'the last end, where it is near'],
    [43, 50, 8, 'a word border, where no end is near'],
    [58.5, 51, 0, 'the next end, where that is near'],
    [100, 76, 0, 'the end'],
  ] as const) {
    it(`finds ${depth} per cent at ${why}`, () => {
      expect(placeAt(TEXT, depth)).to.deep.equal({ piece, unit });
      expect(withNeedles(TEXT, ['N'], [{ piece, unit }]).depths[0]).to.be.closeTo(depth, 2);
    });
  }

  it('breaks a line of several sentences behind one of them, where that is near', () => {
    const line = 'One two three. Four five six. Seven eight nine. Ten eleven twelve.';
    const pieces = [line, line, line, line].map((text) => pieceOf(text, '\n'));
    const { text, depths } = withNeedles(pieces, ['N'], [placeAt(pieces, 32)]);
    expect(text.split('\n')[1]).to.equal(
      'One two three. N Four five six. Seven eight nine. Ten eleven twelve.',
    );
    expect(depths[0]).to.equal((100 * 15) / 48);
  });

  it('counts characters where a script has no spaces, marks with the character before them', () => {
    expect(pieceOf('山高水长，人来人往。', '').units).to.equal(8);
    expect(pieceOf('ab 山高 cd', '').units).to.equal(4);
    const pieces = [pieceOf('山高水长，人来人往。', '')];
    const { text, depths } = withNeedles(pieces, ['One needle.'], [placeAt(pieces, 50)]);
    expect(text).to.equal('山高水长， One needle. 人来人往。');
    expect(depths).to.deep.equal([50]);
  });

  it('keeps text and needles, each in its order, at any depths', () => {
    const words = fc.array(fc.constantFrom('a', 'b.', '山高', 'c'), { minLength: 1, maxLength: 9 });
    const texts = fc.array(words, { minLength: 1, maxLength: 9 });
    const depths = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 });
    fc.assert(
      fc.property(
        texts,
        depths,
        fc.constantFrom('' as const, ' ' as const, '\n' as const),
        (text, asked, glue) => {
          const pieces = text.map((each) => pieceOf(each.join(' '), glue));
          const sorted = asked.sort((a, b) => a - b);
          const needles = sorted.map((_, i) => `<${i}>`);
          const placed = withNeedles(
            pieces,
            needles,
            sorted.map((depth) => placeAt(pieces, depth)),
          );
          const bare = (some: string) => some.replace(/\s+/g, '');
          expect(bare(placed.text.replace(/<\d>/g, ''))).to.equal(bare(joinPieces(pieces)));
          expect(placed.text.match(/<\d>/g) ?? []).to.deep.equal(needles);
          expect([...placed.depths].sort((a, b) => a - b)).to.deep.equal(placed.depths);
        },
      ),
    );
  });

  it('splits at a place and joins again', () => {
    const [before, after] = splitPieces(english('One two three.', 'Four.'), { piece: 0, unit: 2 });
    expect([joinPieces(before), joinPieces(after)]).to.deep.equal(['One two', 'three. Four.']);
    expect(splitPieces(english('One.'), { piece: 1, unit: 0 }).map(joinPieces)).to.deep.equal(['One.', '']);
  });
});
