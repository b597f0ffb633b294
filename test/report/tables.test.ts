import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readResults } from '../../src/report/read-results.js';
import { type TableFormat, writeTables } from '../../src/report/table/formats.js';
import { escapeLatex } from '../../src/report/table/latex.js';
import type { Table } from '../../src/report/table/model.js';
import { completeness, tablesOf } from '../../src/report/tables.js';
import { collectResults } from '../../src/results/cell-results.js';
import { cell, full, record, spark } from '../results/support.js';

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
    expect([withoutPair[1], withoutPair[4], withoutPair[10]]).to.deep.equal(['50.00', '–', 'incomplete']);
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
  const hostile: Table = {
    title: 'a_b & 50% #1 {x} ~^\\ $y',
    header: ['na|me', 'n'],
    align: ['left', 'right'],
    sections: [
      {
        title: 'one, "two"',
        rows: [
          [
            { text: '*[x]<b>\n` |', marks: ['a'] },
            { text: '1.00', value: 1.0000001 },
          ],
        ],
      },
    ],
    notes: [{ mark: 'a', text: 'said ± λ 漢' }],
  };

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

  it('escapes LaTeX: every special character, and signs that its fonts lack', () => {
    expect(escapeLatex('a_b & 50% #1 {x} ~^\\ $y')).to.equal(
      'a\\_b \\& 50\\% \\#1 \\{x\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{} \\$y',
    );
    expect(escapeLatex('± λ 漢 é ð\n–')).to.equal('$\\pm$ $\\lambda$ ? é ? --');
    const lines = writeTables([hostile], 'latex').split('\n');
    expect(lines).to.include('{*}{[}x{]}\\textless{}b\\textgreater{} ` \\textbar{}$^{a}$ & 1.00 \\\\');
  });

  it('writes LaTeX whose groups and columns close', () => {
    const text = writeTables(tablesOf(readResults([fixture('table1-part')]), { paper: 'table1' }), 'latex');
    const bare = text.replace(/\\[{}\\&]/g, (pair) => (pair === '\\\\' ? '\n' : ''));
    let depth = 0;
    for (const sign of bare) {
      depth += sign === '{' ? 1 : sign === '}' ? -1 : 0;
      expect(depth).to.be.at.least(0);
    }
    expect(depth).to.equal(0);
    expect((bare.match(/\$/g) ?? []).length % 2).to.equal(0);
    for (const block of text.split('\\begin{tabular}').slice(1)) {
      const columns = /^\{([lr]+)\}/.exec(block)![1]!.length;
      const rows = block
        .split('\\end{tabular}')[0]!
        .split('\n')
        .filter((line) => line.endsWith('\\\\') && !line.startsWith('\\multicolumn'));
      for (const row of rows) expect(row.replaceAll('\\&', '').split('&')).to.have.length(columns);
    }
  });

  it('writes numbers of CSV in full', () => {
    expect(writeTables([hostile], 'csv')).to.equal(
      'table,section,na|me,n,footnotes\na_b & 50% #1 {x} ~^\\ $y,"one, ""two""","*[x]<b>\n` |",1.0000001,a',
    );
  });
});
