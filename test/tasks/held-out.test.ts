import { expect } from 'chai';
import { fnv1a, isHeldOut } from '../../src/tasks/held-out.js';

describe('held-out rule', () => {
  it('is 32-bit FNV-1a, by its published test vectors', () => {
    expect(['', 'a', 'b', 'foobar'].map(fnv1a)).to.deep.equal([
      0x811c9dc5, 0xe40c292c, 0xe70c2de5, 0xbf9cf968,
    ]);
  });

  it('hashes UTF-8 bytes', () => {
    expect(fnv1a('é')).to.equal(Math.imul(Math.imul(0x811c9dc5 ^ 0xc3, 0x01000193) ^ 0xa9, 0x01000193) >>> 0);
  });

  it('leaves about half of all strings, those with an even hash', () => {
    const numbers = Array.from({ length: 2000 }, (_, i) => String(1_000_000 + i * 4001));
    const kept = numbers.filter(isHeldOut);
    expect(kept.length).to.be.within(900, 1100);
    for (const text of kept) expect(fnv1a(text) & 1).to.equal(0);
  });
});
