/** The small twins: what they leave behind pairs with what was published, through the files of a result folder. */
import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAPER_TABLES, type PaperTableName } from '../../../src/report/paper/index.js';
import { plotsOf } from '../../../src/report/plots/index.js';
import { type ReadResults, readResults } from '../../../src/report/read-results.js';
import { tablesOf } from '../../../src/report/tables.js';
import { inFolder, manifest } from '../../results/support.js';
import { cellsOf, recordsOf, SPECS } from './spec-results.js';

/** Reads a result folder of all cells of a spec. */
async function resultsOf(name: string): Promise<ReadResults> {
  let read: ReadResults | undefined;
  await inFolder((folder) => {
    const path = join(folder, name);
    const cells = cellsOf(name, [], 2);
    mkdirSync(path);
    writeFileSync(join(path, 'manifest.json'), JSON.stringify(manifest(cells)));
    writeFileSync(
      join(path, 'journal.jsonl'),
      recordsOf(cells)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
    read = readResults([path]);
  });
  return read!;
}

describe('report/paper: the small twins', () => {
  const rows: Readonly<Record<PaperTableName, number>> = {
    table1: 27,
    table2: 14,
    table3: 6,
    table4: 4,
    'value-channels': 5,
  };

  for (const paper of PAPER_TABLES) {
    it(`${SPECS[paper]}-small pairs a number with every published one of ${paper}`, async () => {
      const [table] = tablesOf(await resultsOf(`${SPECS[paper]}-small`), { paper });
      const lines = table!.sections
        .filter(({ title }) => !title.startsWith('also run'))
        .flatMap((section) => section.rows);
      const first = table!.header.indexOf('') + 1;
      const own = lines.filter((row) => row[first - 1]!.text === 'ours');
      const published = lines.filter((row) => row[first - 1]!.text === 'published');
      expect(own).to.have.length(rows[paper]);
      expect(published).to.have.length(rows[paper]);
      expect(lines).to.have.length(4 * rows[paper]);
      for (const [index, row] of published.entries()) {
        const theirs = row.slice(first).map(({ value }) => value);
        const ours = own[index]!.slice(first).map(({ value }) => value);
        // Of other tasks nothing was published, but the row's pipeline has run them.
        if (paper === 'table1') for (const value of ours) expect(value).to.be.closeTo(ours.at(-1)!, 1e-9);
        // One average in a row, or one for each budget; tasks that were not run have no number of ours.
        const averages = paper === 'table1' || paper === 'table2' ? [theirs.length - 1] : theirs.keys();
        for (const column of averages) {
          expect(ours[column], row[0]!.text).to.be.a('number');
          if (paper !== 'value-channels') expect(theirs[column]).to.be.a('number');
        }
      }
    });
  }

  it('fig4a-small draws a line per method over the ratios', async () => {
    const [plot] = plotsOf((await resultsOf('fig4a-small')).results, ['ratio']);
    const base = 'snapkv(budget=512,window=32)';
    const lines = [...plot!.series.values()];
    expect([...new Set(lines)]).to.have.members([
      'snapkv(window=32)',
      `${base}+think(variant=kvpress)`,
      `${base}+spark(recovery=none)`,
      `${base}+spark`,
    ]);
    const points = [...plot!.series].filter(
      ([label, series]) => series === `${base}+spark` && label.includes(': ratio'),
    );
    expect(points).to.have.length(6);
  });

  it('fig4c-small draws score against stored bytes, and fig2-small all six prunings', async () => {
    const [bytes] = plotsOf((await resultsOf('fig4c-small')).results, ['bytes']);
    expect(bytes!.series.size).to.equal(1 + 4 + 8 + 8);
    const [ratio] = plotsOf((await resultsOf('fig2-small')).results, ['ratio']);
    expect([...new Set(ratio!.series.values())]).to.deep.equal([
      'spark(recovery=none)',
      'think(variant=kvpress)',
      'spark',
    ]);
  });
});
