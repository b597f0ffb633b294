import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { read } from 'vega';
import { readResults } from '../../src/report/read-results.js';
import { type TableFormat, writeTables } from '../../src/report/table/formats.js';
import { gapsOf } from '../../src/report/gaps.js';
import { summarise } from '../../src/report/summary.js';
import type { CellInfo, Inapplicable } from '../../src/results/types.js';
import { completeness, tablesOf } from '../../src/report/tables.js';
import { collectResults } from '../../src/results/cell-results.js';
import { cell, full, record, spark } from '../results/support.js';
import { hostile } from './hostile-table.js';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/results/${name}`, import.meta.url));

/** Folder and golden tables are made by test/fixtures/results/make.ts. */
describe('report/tables', () => {
  const results = readResults([fixture('table1-part')]);

  for (const format of ['md', 'csv', 'latex'] as const satisfies readonly TableFormat[]) {
    it(`are byte for byte those of the golden folder: ${format}`, () => {
      const text = writeTables(tablesOf(results, { paper: 'table1' }), format);
      expect(`${text}\n`).to.equal(readFileSync(fixture(`table1-part.${format}`), 'utf8'));
    });
  }

  it('count what is missing', () => {
    expect(completeness(results)).to.deep.equal({ done: 163, asked: 168 });
  });

  it('give no number where a sample, its pair or a task is missing', () => {
    const infos = [full, spark].flatMap((pipeline) =>
      ['ruler/one', 'ruler/two'].map((task) => cell(pipeline, { task })),
    );
    const records = infos.flatMap((info) => [0, 1, 2, 3].map((sample) => record(info, sample)));
    const cellsOf = (left: typeof records, row: number): string[] => {
      const [table] = tablesOf({ folders: [], results: collectResults(infos, left) });
      return table!.sections[0]!.rows[row]!.map(({ text }) => text);
    };
    expect(cellsOf(records, 1).slice(0, 2)).to.deep.equal(['spark(ratio=0.8)', '50.00']);
    const lastOfSpark = records.slice(0, -1);
    expect(cellsOf(lastOfSpark, 1))
      .to.include.members(['7/8', 'incomplete', '3/4', '50.00'])
      .and.not.include('0.00');
    const noFull = records.slice(1);
    expect(cellsOf(noFull, 0)[1]).to.equal('7/8');
    const withoutPair = cellsOf(noFull, 1);
    expect([withoutPair[1], withoutPair[4], withoutPair[10]]).to.deep.equal([
      '50.00',
      '–',
      'full is incomplete',
    ]);
  });

  it('say of a row that lacks a task that it does, not that its samples are missing', () => {
    const infos = [cell(full), cell(full, { task: 'ruler/two' }), cell(spark)];
    const records = infos.flatMap((info) => [0, 1, 2, 3].map((sample) => record(info, sample)));
    const [table] = tablesOf({ folders: [], results: collectResults(infos, records) });
    const row = table!.sections[0]!.rows[1]!.map(({ text }) => text);
    expect(row.slice(0, 2)).to.deep.equal(['spark(ratio=0.8)', '–']);
    expect(row.slice(10)).to.deep.equal(['not all tasks', '–', '4', '50.00', '–']);
    expect(table!.notes.map(({ text }) => text).join('\n')).to.contain(
      'not all tasks: the row was not run on',
    );
  });

  it('compare a row with full on the samples that it can be applied to, and give n', () => {
    const infos = [full, spark].map((pipeline) => cell(pipeline));
    const [base, pruned] = infos as [CellInfo, CellInfo];
    const records = [
      ...[1, 1, 0, 0].map((score, sample) => record(base, sample, { score })),
      ...[0.5, 0.5].map((score, sample) => record(pruned, sample, { score })),
    ];
    const without = [2, 3].map((sample): Inapplicable => ({
      ...{ format: 1, cell: pruned.key, sample },
      inapplicable: 'too short\n  hint',
    }));
    const results = collectResults(infos, records, without);
    expect(completeness({ folders: [], results })).to.deep.equal({ done: 6, asked: 6 });
    const [table] = tablesOf({ folders: [], results });
    const row = table!.sections[0]!.rows[1]!;
    // Full scores 100 on the two samples that both have.
    expect([row[1]!.text, row[4]!.text, row[6]!.text, row[12]!.text]).to.deep.equal([
      '50.00',
      '+50.00',
      '+50.0',
      '2',
    ]);
    expect(table!.notes.map(({ text }) => text)).to.include(
      'spark(ratio=0.8) cannot be applied to 2 of 4 samples (n = 2); it is compared with full on those that both have.',
    );
    expect(gapsOf({ folders: [], results })).to.deep.equal([
      'spark(ratio=0.8) cannot be applied to 2 of 4 samples of ruler/one, spark-nano, context 1024, seed 42, question compressed: too short',
    ]);
    expect(summarise(results)).to.match(/spark\(ratio=0\.8\) +50\.00 +50\.00 +50\.00 +\S+ +2$/m);
    const none = collectResults(
      infos,
      records.slice(0, 4),
      [0, 1, 2, 3].map((sample) => ({ ...without[0]!, sample })),
    );
    const [empty] = tablesOf({ folders: [], results: none });
    expect(empty!.sections[0]!.rows[1]!.map(({ text }) => text)).to.include.members(['not applicable', '0']);
  });

  it('say which samples were cut', () => {
    const infos = [full, spark].map((pipeline) => cell(pipeline));
    const records = infos.flatMap((info) =>
      [0, 1, 2, 3].map((sample) => record(info, sample, { truncated: sample === 1, promptTokens: 300 })),
    );
    const tables = tablesOf({ folders: [], results: collectResults(infos, records) });
    for (const format of ['md', 'latex'] as const) {
      expect(writeTables(tables, format)).to.contain('1 of 4 samples were cut to 300 tokens');
    }
  });

  it('have numbers alone in the columns of numbers of their CSV', () => {
    const infos = [full, spark].map((pipeline) => cell(pipeline));
    const records = infos.flatMap((info) => [0, 1, 2, 3].map((sample) => record(info, sample)));
    for (const left of [records, records.slice(0, -1), []]) {
      const csv = writeTables(tablesOf({ folders: [], results: collectResults(infos, left) }), 'csv');
      const rows = read(csv, { type: 'csv', parse: null as never }) as Record<string, string>[];
      expect(Object.keys(rows[0]!)).to.include.members(['95 % low', '95 % high', 'samples', 'samples asked']);
      for (const row of rows) {
        for (const [name, value] of Object.entries(row)) {
          if (['table', 'section', 'pipeline', 'verdict', 'footnotes'].includes(name)) continue;
          expect(value, name).to.match(/^(-?\d+(\.\d+)?(e-?\d+)?)?$/);
        }
        expect(row).to.include({ 'samples asked': '4' });
      }
      expect(rows[0]!['verdict']).to.equal('');
    }
  });

  it('never average over models, contexts or ways to ask', () => {
    const infos = [{}, { context: 2048 }, { question: 'appended' as const }, { model: 'other' }].map(
      (changes) => cell(full, changes),
    );
    const tables = tablesOf({
      folders: [],
      results: collectResults(
        infos.map((info, i) => ({ ...info, key: `${i}`.repeat(16) })),
        [],
      ),
    });
    expect(tables.map(({ title }) => title)).to.deep.equal([
      'spark-nano · context 1024 · question compressed',
      'spark-nano · context 2048 · question compressed',
      'spark-nano · context 1024 · question appended',
      'other · context 1024 · question compressed',
    ]);
  });
});

describe('report/table', () => {
  it('escapes Markdown', () => {
    const lines = writeTables([hostile], 'md').split('\n');
    expect(lines.map((line) => line.replace(/ {2,}/g, ' ').replace(/-{2,}/g, '--'))).to.deep.equal([
      '### a_b & 50% #1 {x} ~^\\\\ $y',
      '',
      '| na\\|me | n |',
      '| -- | --: |',
      '| **one, "two"** | |',
      '| \\*\\[x\\]&lt;b> \\` \\| \\[a\\] | 1.00 |',
      '',
      '- \\[a\\] said ± λ 漢',
    ]);
    expect(new Set(lines.slice(2, 4).map(({ length }) => length))).to.have.property('size', 1);
  });

  it('writes numbers of CSV in full', () => {
    expect(writeTables([hostile], 'csv')).to.equal(
      'table,section,na|me,n,footnotes\na_b & 50% #1 {x} ~^\\ $y,"one, ""two""","*[x]<b>\n` |",1.0000001,a',
    );
  });
});
