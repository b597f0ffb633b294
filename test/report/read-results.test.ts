import { expect } from 'chai';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { readResults } from '../../src/report/read-results.js';
import type { CellInfo, SampleRecord } from '../../src/results/types.js';
import { cell, full, inFolder, manifest, record, spark } from '../results/support.js';

function write(
  folder: string,
  name: string,
  cells: readonly CellInfo[],
  records: readonly SampleRecord[],
): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest(cells)));
  writeFileSync(join(path, 'journal.jsonl'), records.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

function refusal(...paths: string[]): UserError {
  try {
    readResults(paths);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

describe('report/read-results', () => {
  const cells = [cell(full), cell(spark)];
  const records = cells.flatMap((info) => [0, 1, 2, 3].map((sample) => record(info, sample)));

  it('joins folders: other cells, and copies that agree', () =>
    inFolder((folder) => {
      const a = write(folder, 'a', [cells[0]!], records.slice(0, 4));
      const b = write(folder, 'b', cells, records.slice(2));
      const { results } = readResults([a, b]);
      expect(
        results.map((result) => [result.cell.pipeline, result.records.length, result.paired?.length]),
      ).to.deep.equal([
        ['full', 4, undefined],
        ['spark(ratio=0.8)', 4, 4],
      ]);
    }));

  it('takes the greater request, so that what is missing of it shows', () =>
    inFolder((folder) => {
      const more = cell(full, { samples: 9 });
      const a = write(folder, 'a', [cells[0]!], records.slice(0, 4));
      const b = write(folder, 'b', [more], []);
      for (const paths of [
        [a, b],
        [b, a],
      ]) {
        const [result] = readResults(paths).results;
        expect([result!.cell.samples, result!.records.length]).to.deep.equal([9, 4]);
      }
    }));

  it('leaves stale records and a torn last line out', () =>
    inFolder((folder) => {
      const stale = record(cell(full, { seed: 1 }), 0);
      const path = write(folder, 'a', cells, [...records, stale]);
      appendFileSync(join(path, 'journal.jsonl'), '{"format":1,');
      const { results, folders } = readResults([path]);
      expect(results.reduce((sum, result) => sum + result.records.length, 0)).to.equal(8);
      expect(folders[0]!.tornBytes).to.equal(12);
    }));

  it('refuses what is no result folder, and says what is', () =>
    inFolder((folder) => {
      expect(refusal(join(folder, 'nothing'))).to.include({ message: 'no such folder', exitCode: 2 });
      writeFileSync(join(folder, 'file'), '');
      expect(refusal(join(folder, 'file')).message).to.match(/found a file/);
      expect(refusal(folder)).to.include({ message: 'holds no manifest.json', place: folder });
      const path = write(folder, 'a', cells, records);
      writeFileSync(join(path, 'manifest.json'), '{}');
      expect(refusal(path).message).to.match(/^not a manifest/);
      writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest(cells)));
      rmSync(join(path, 'journal.jsonl'));
      expect(refusal(path).message).to.match(/^holds no journal.jsonl/);
      writeFileSync(join(path, 'journal.jsonl'), '{"format":1}\n');
      expect(refusal(path).format()).to.match(/journal\.jsonl:1 {2}not a result record/);
    }));

  it('refuses folders that contradict each other', () =>
    inFolder((folder) => {
      const a = write(folder, 'a', cells, records);
      const b = write(folder, 'b', cells, [record(cells[0]!, 1, { score: 1 })]);
      expect(refusal(a, b).message).to.match(/^sample 1 of cell [0-9a-f]{16} has another answer/);
      const other = { ...cells[1]!, key: '0123456789abcdef' };
      const c = write(folder, 'c', [other], []);
      expect(refusal(a, c).format()).to.match(
        /spark\(ratio=0\.8\) on ruler\/one, context 1024, is there twice/,
      );
    }));
});
