import { expect } from 'chai';
import fc from 'fast-check';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { Journal, readJournal } from '../../src/results/journal.js';
import type { Inapplicable } from '../../src/results/types.js';
import { cell, full, inFolder, record } from './support.js';

const info = cell(full);
const records = [0, 1, 2].map((sample) => record(info, sample, { score: sample / 3 }));

function write(path: string, count = records.length): void {
  const journal = Journal.open(path, readJournal(path));
  for (const entry of records.slice(0, count)) journal.append(entry);
  journal.close();
}

describe('results/journal', () => {
  it('reads back what was appended, over several runs', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      write(path, 1);
      const journal = Journal.open(path, readJournal(path));
      journal.append(records[1]!);
      journal.append(records[2]!);
      journal.close();
      expect(readJournal(path)).to.deep.equal({
        records,
        inapplicable: [],
        wholeBytes: readFileSync(path).length,
        tornBytes: 0,
      });
    }));

  it('keeps samples that a pipeline cannot be applied to, beside the records', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      const entry: Inapplicable = { format: 1, cell: info.key, sample: 9, inapplicable: 'too short\n  hint' };
      const journal = Journal.open(path, readJournal(path));
      journal.append(entry);
      journal.append(records[0]!);
      journal.close();
      expect(readJournal(path)).to.deep.include({ records: [records[0]], inapplicable: [entry] });
      appendFileSync(path, '{"format":1,"cell":"0123456789abcdef","sample":1,"inapplicable":7}\n');
      expect(() => readJournal(path)).to.throw(UserError, 'not a result record');
    }));

  it('keeps the tokens of every layer and KV head where a record has them', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      const uneven = record(info, 0, {
        keptTokens: 120,
        keptPerHead: [
          [200, 200],
          [30, 50],
        ],
      });
      const journal = Journal.open(path, readJournal(path));
      journal.append(uneven);
      journal.append(records[1]!);
      journal.close();
      expect(readJournal(path).records).to.deep.equal([uneven, records[1]]);
    }));

  it('holds nothing where there is no file', () =>
    inFolder((folder) => {
      expect(readJournal(join(folder, 'none')).records).to.deep.equal([]);
    }));

  it('loses at most the last line, wherever it is cut, and goes on behind it', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      write(path);
      const whole = readFileSync(path);
      const ends = [...whole.keys()].filter((i) => whole[i] === 10).map((i) => i + 1);
      fc.assert(
        fc.property(fc.nat(whole.length), (length) => {
          writeFileSync(path, whole.subarray(0, length));
          const content = readJournal(path);
          const kept = ends.filter((end) => end <= length).length;
          expect(content.records).to.deep.equal(records.slice(0, kept));
          const journal = Journal.open(path, content);
          for (const entry of records.slice(kept)) journal.append(entry);
          journal.close();
          expect(readFileSync(path).equals(whole)).to.equal(true);
        }),
        { numRuns: 40 },
      );
    }));

  it('keeps the first of two records of the same sample', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      write(path);
      appendFileSync(path, `${JSON.stringify(record(info, 1, { score: 1 }))}\n`);
      expect(readJournal(path).records).to.deep.equal(records);
    }));

  const refusal = (line: string): Promise<string> =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      write(path, 1);
      appendFileSync(path, `${line}\n`);
      appendFileSync(path, `${JSON.stringify(records[2])}\n`);
      try {
        readJournal(path);
      } catch (error) {
        expect(error).to.be.instanceOf(UserError);
        expect((error as UserError).place).to.equal(`${path}:2`);
        return (error as UserError).format();
      }
      throw new Error('expected a UserError');
    });

  it('refuses a damaged line in the middle, with its number', async () => {
    expect(await refusal('{"format":1,"cell":')).to.contain('expected one line of JSON');
    expect(await refusal('')).to.contain('expected one line of JSON');
    expect(await refusal('[]')).to.contain('not a result record');
    expect(await refusal(JSON.stringify({ ...records[1], score: 2 }))).to.contain('score:');
    expect(await refusal(JSON.stringify({ ...records[1], more: 1 }))).to.contain('more');
    expect(await refusal(JSON.stringify({ ...records[1], keptPerHead: [2] }))).to.contain('keptPerHead');
    expect(await refusal(JSON.stringify({ ...records[1], format: 2 }))).to.contain(
      'expected format 1, got format 2',
    );
  });

  it('does not write what it could not read back', () =>
    inFolder((folder) => {
      const path = join(folder, 'journal.jsonl');
      const journal = Journal.open(path, readJournal(path));
      expect(() => {
        journal.append(record(info, 0, { score: NaN }));
      }).to.throw();
      journal.close();
      expect(readFileSync(path, 'utf8')).to.equal('');
    }));
});
