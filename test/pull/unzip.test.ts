import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { strToU8, Zip, ZipDeflate, zipSync } from 'fflate';
import { unzipFiles, type UnzipLimits } from '../../src/pull/unzip.js';
import { UserError } from '../../src/base/errors.js';
import { userError, useTempFolder } from '../model/support.js';
import { zip } from './support.js';

const LIMITS: UnzipLimits = { entries: 5, entryBytes: 100_000, totalBytes: 150_000 };

describe('unzipping', () => {
  const temp = useTempFolder();
  const unzip = (archive: Uint8Array, wanted = ['a.jsonl', 'b/c.jsonl']): string[] => {
    writeFileSync(temp('x.zip'), archive);
    return unzipFiles(temp('x.zip'), temp('out'), wanted, LIMITS);
  };
  const fault = (archive: Uint8Array): string => userError(() => unzip(archive)).message;
  const text = (path: string): string => readFileSync(temp(`out/${path}`), 'utf8');

  it('takes what is wanted, wherever it stands, and nothing else', () => {
    const archive = zip({ 'data/a.jsonl': 'one\n', 'data/b/c.jsonl': 'two\n', 'data/d.jsonl': 'three\n' });
    expect(unzip(archive)).to.have.members(['a.jsonl', 'b/c.jsonl']);
    expect([text('a.jsonl'), text('b/c.jsonl')]).to.deep.equal(['one\n', 'two\n']);
    expect(readdirSync(temp('out'))).to.have.members(['a.jsonl', 'b']);
  });

  it('takes JSON lines that are called .json, and tells xa.jsonl from a.jsonl', () => {
    expect(unzip(zip({ 'a.json': 'lines', 'xa.jsonl': 'other' }))).to.deep.equal(['a.jsonl']);
    expect(text('a.jsonl')).to.equal('lines');
  });

  it('takes large, empty and stored entries, and those of a streamed archive', () => {
    const large = Array.from({ length: 9000 }, (_, i) => `${i * 7919}`).join('\n');
    unzip(zipSync({ 'a.jsonl': strToU8(large), 'b/c.jsonl': strToU8('') }, { level: 0 }));
    expect([text('a.jsonl'), text('b/c.jsonl')]).to.deep.equal([large, '']);
    const parts: Uint8Array[] = [];
    const stream = new Zip((_, data) => parts.push(data));
    const entry = new ZipDeflate('data/a.jsonl');
    stream.add(entry);
    entry.push(strToU8(large), true);
    stream.end();
    expect(unzip(Buffer.concat(parts))).to.deep.equal(['a.jsonl']);
    expect(text('a.jsonl')).to.equal(large);
  });

  it('refuses names that lead out of the folder', () => {
    for (const name of [
      '../a.jsonl',
      'x/../../a.jsonl',
      '/etc/a.jsonl',
      '..\\a.jsonl',
      'C:/a.jsonl',
      '\\a.jsonl',
    ]) {
      expect(fault(zip({ [name]: 'x' })), name).to.match(/leads out of the archive/);
    }
    expect(existsSync(temp('out'))).to.equal(false);
  });

  it('refuses what unpacks to too much: an entry, all entries, their number', () => {
    const zeros = (count: number): string => '0'.repeat(count);
    expect(fault(zip({ 'a.jsonl': zeros(100_001) }))).to.match(/a\.jsonl: unpacks to more/);
    expect(fault(zip({ 'skipped.bin': zeros(100_001) }))).to.match(/skipped\.bin: unpacks to more/);
    expect(fault(zip({ 'a.jsonl': zeros(90_000), 'b/c.jsonl': zeros(90_000) }))).to.match(
      /c\.jsonl: unpacks/,
    );
    const many = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`${i}.txt`, 'x']));
    expect(fault(zip(many))).to.match(/expected at most 5 entries/);
  });

  it('refuses what unpacks to absurdly many times the size of the archive', () => {
    writeFileSync(temp('x.zip'), zip({ 'a.jsonl': '0'.repeat(2 ** 21) }));
    expect(userError(() => unzipFiles(temp('x.zip'), temp('out'), ['a.jsonl'])).message).to.match(
      /unpacks to more/,
    );
  });

  it('refuses a file that comes twice', () => {
    expect(fault(zip({ 'a.jsonl': 'one', 'data/a.jsonl': 'two' }))).to.match(/has a\.jsonl twice/);
  });

  it('refuses what is no archive, and one that is cut, wherever', () => {
    expect(fault(strToU8('plain text, and no zip'))).to.match(/expected a zip archive/);
    expect(fault(new Uint8Array())).to.match(/expected a zip archive/);
    const long = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 1009}`).join(' ');
    const archive = zip({ 'a.jsonl': long });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: archive.length - 200 }), (length) => {
        expect(() => unzip(archive.slice(0, length))).to.throw(UserError);
      }),
      { numRuns: 50 },
    );
  });
});
