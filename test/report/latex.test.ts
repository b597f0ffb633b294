import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PAPER_TABLES } from '../../src/report/paper/index.js';
import { readResults } from '../../src/report/read-results.js';
import { writeTables } from '../../src/report/table/formats.js';
import { escapeLatex } from '../../src/report/table/latex.js';
import { tablesOf } from '../../src/report/tables.js';
import { collectResults } from '../../src/results/cell-results.js';
import { resultFolder } from './golden-files.js';
import { hostile } from './hostile-table.js';
import { cellsOf, recordsOf, SPECS } from './paper/spec-results.js';

describe('report/table/latex', () => {
  const texts = new Map<string, string>();
  before(() => {
    texts.set('hostile', writeTables([hostile], 'latex'));
    for (const name of ['table1-part', 'sweep']) {
      const read = readResults([resultFolder(name)]);
      texts.set(name, writeTables([...tablesOf(read), ...tablesOf(read, { paper: 'table1' })], 'latex'));
    }
    for (const paper of PAPER_TABLES) {
      for (const spec of [SPECS[paper], `${SPECS[paper]}-small`]) {
        const cells = cellsOf(spec, [], 2);
        const results = collectResults(cells, recordsOf(cells));
        texts.set(spec, writeTables(tablesOf({ folders: [], results }, { paper, draws: 10 }), 'latex'));
      }
    }
  });

  it('escapes LaTeX: every special character, and signs that its fonts lack', () => {
    expect(escapeLatex('a_b & 50% #1 {x} ~^\\ $y')).to.equal(
      'a\\_b \\& 50\\% \\#1 \\{x\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{} \\$y',
    );
    expect(escapeLatex('± λ 漢 é ð\n–')).to.equal('$\\pm$ $\\lambda$ ? é ? --');
    const lines = writeTables([hostile], 'latex').split('\n');
    expect(lines).to.include('{*}{[}x{]}\\textless{}b\\textgreater{} ` \\textbar{}$^{a}$ & 1.00 \\\\');
  });

  it('closes its groups and environments, and gives every row as many columns as there are', () => {
    for (const [name, text] of texts) {
      const bare = text.replace(/\\[{}\\&%$#_]/g, (pair) => (pair === '\\\\' ? '\n' : ''));
      let depth = 0;
      for (const sign of bare) {
        depth += sign === '{' ? 1 : sign === '}' ? -1 : 0;
        expect(depth, name).to.be.at.least(0);
      }
      expect(depth, name).to.equal(0);
      expect((bare.match(/\$/g) ?? []).length % 2, name).to.equal(0);
      const open: string[] = [];
      for (const [, what, environment] of text.matchAll(/\\(begin|end)\{([a-z*]+)\}/g)) {
        if (what === 'begin') open.push(environment!);
        else expect(open.pop(), name).to.equal(environment);
      }
      expect(open, name).to.deep.equal([]);
      for (const block of text.split('\\begin{tabular}').slice(1)) {
        const columns = /^\{([lr]+)\}/.exec(block)![1]!.length;
        const rows = block
          .split('\\end{tabular}')[0]!
          .split('\n')
          .filter((line) => line.endsWith('\\\\') && !line.startsWith('\\multicolumn'));
        for (const row of rows) expect(row.replaceAll('\\&', '').split('&'), name).to.have.length(columns);
      }
    }
  });

  it('compiles, and no table is larger than its page', function () {
    this.timeout(120_000);
    if (spawnSync('pdflatex', ['--version']).status !== 0) {
      console.warn('    no pdflatex on this system (apt-get install texlive-latex-base): skipped');
      this.skip();
    }
    const folder = mkdtempSync(join(tmpdir(), 'spark-latex-'));
    try {
      const document = [
        '\\documentclass{article}\n\\usepackage{graphicx}\n\\begin{document}',
        ...[...texts.values()].map((text) => `${text}\n\\clearpage`),
        '\\end{document}\n',
      ];
      writeFileSync(join(folder, 'tables.tex'), document.join('\n'));
      // Nothing in it may start a program.
      const options = ['-interaction=nonstopmode', '-halt-on-error', '-no-shell-escape', 'tables.tex'];
      const { status } = spawnSync('pdflatex', options, { cwd: folder, timeout: 100_000 });
      const log = readFileSync(join(folder, 'tables.log'), 'latin1');
      expect(status, log.slice(-2000)).to.equal(0);
      expect(log).to.not.match(/Overfull|too large/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
