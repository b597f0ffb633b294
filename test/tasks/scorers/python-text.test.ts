import { expect } from 'chai';
import fc from 'fast-check';
import {
  asciiDigits,
  codePoints,
  digitRuns,
  parseInteger,
  splitWords,
  strip,
  stripLeadingNewlines,
  wholeWord,
} from '../../../src/tasks/scorers/python-text.js';

describe("Python's text", () => {
  it('splits at its own white space', () => {
    expect(splitWords(' a\x1cb\x85c\u00a0d\u3000e\n')).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(splitWords('a\ufeffb\u200bc\x1bd')).to.deep.equal(['a\ufeffb\u200bc\x1bd']);
    expect(splitWords(' \t ')).to.deep.equal([]);
    expect(strip('\x1f \ufeffa b\u2029')).to.equal('\ufeffa b');
  });

  it('strips line feeds only, at the start only', () => {
    expect(stripLeadingNewlines('\n\n a\n')).to.equal(' a\n');
    expect(stripLeadingNewlines('\r\na')).to.equal('\r\na');
  });

  it('knows digits of every script, no superscripts', () => {
    expect(digitRuns('a12 ٣ ７x² ①-7.0')).to.deep.equal(['12', '٣', '７', '7', '0']);
    expect(asciiDigits('٣ ７９ 𝟘𝟡𝟚 x5')).to.equal('3 79 092 x5');
  });

  it('puts word boundaries around letters and numbers of every script, not around combining marks', () => {
    const word = new RegExp(wholeWord('a|an'), 'gu');
    expect('a an año 第a章 a\u0303 (a)_a a²'.replace(word, '*')).to.equal('* * año 第a章 *\u0303 (*)_a a²');
  });

  it('reads integers as int() does', () => {
    expect(parseInteger('-1_000')).to.equal(-1000n);
    expect(parseInteger('+５')).to.equal(5n);
    expect(parseInteger('007')).to.equal(7n);
    for (const text of ['', '-', '1__0', '_1', '1_', '1.0', '0x1', '5²', ' 5']) {
      expect(parseInteger(text), text).to.equal(undefined);
    }
    fc.assert(fc.property(fc.bigInt(), (value) => parseInteger(String(value)) === value));
  });

  it('counts code points', () => {
    expect(codePoints('a😀b')).to.deep.equal(['a', '😀', 'b']);
  });
});
