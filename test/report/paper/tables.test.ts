import { expect } from 'chai';
import type { Block } from '../../../src/report/blocks.js';
import { compareTable } from '../../../src/report/paper/compare.js';
import { PAPER_TABLES, type PaperTableName, paperTable } from '../../../src/report/paper/index.js';
import { matchTable, stepsOf } from '../../../src/report/paper/match.js';
import type { PaperCell } from '../../../src/report/paper/types.js';
import { record } from '../../results/support.js';
import { blockOf, cellsOf, specNames, SPECS } from './spec-results.js';

function places(name: PaperTableName): PaperCell[] {
  return paperTable(name).sections.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells));
}

describe('report/paper', () => {
  describe('the published numbers', () => {
    it('are whole: every row of every table', () => {
      const rows = PAPER_TABLES.map((name) => paperTable(name).sections.map(({ rows }) => rows.length));
      expect(rows).to.deep.equal([[1, 13, 13], [14], [6], [4], [5]]);
      expect(places('table3').map(({ published }) => published)).to.include.members([32.71, 43.04, 42.09]);
    });

    it('average to the published averages, as they are rounded', () => {
      for (const name of ['table1', 'table2'] as const) {
        for (const { title, keys, cells } of paperTable(name).sections.flatMap(({ rows }) => rows)) {
          const values = cells.map(({ published }) => published!);
          const average = values.slice(0, -1).reduce((sum, value) => sum + value, 0) / (values.length - 1);
          expect(values.at(-1), `${name} ${title} ${keys.join()}`).to.be.closeTo(average, 0.02);
        }
      }
    });
  });

  describe('experiments/paper', () => {
    for (const [name, spec] of Object.entries(SPECS) as [PaperTableName, string][]) {
      it(`fills every place of ${name}: ${spec}, and its small twin`, () => {
        for (const twin of [spec, `${spec}-small`]) {
          const match = matchTable(paperTable(name), blockOf(cellsOf(twin)));
          const empty = places(name).filter((cell) => match.rowOf(cell) === undefined);
          expect(empty, twin).to.deep.equal([]);
        }
      });
    }

    it('has a twin for each spec, with the same systems', () => {
      const names = specNames();
      const published = names.filter((name) => !name.endsWith('-small'));
      expect(published).to.have.members([...Object.values(SPECS), 'fig2', 'fig4a', 'fig4c']);
      for (const name of published) {
        expect(names).to.include(`${name}-small`);
        const systems = (spec: string): string[] => {
          const rows = blockOf(cellsOf(spec)).rows.map((row) =>
            JSON.stringify(stepsOf(row).map(({ method }) => method)),
          );
          return [...new Set(rows)];
        };
        expect(systems(`${name}-small`), name).to.deep.equal(systems(name));
      }
    });

    it('asks for the published model, protocol and samples', () => {
      const block = blockOf(cellsOf('table1-longbench'));
      const match = matchTable(paperTable('table1'), block);
      expect(match).to.deep.include({
        replication: true,
        wholeReplication: true,
        remarks: [],
        standIns: new Map(),
      });
      expect(block.rows[0]!.cells.get('longbench-hub/lcc')![0]!.cell.params['max_context']).to.equal(7950);
    });
  });

  describe('compareTable', () => {
    /** Two samples per task whose mean is the published score of the row plus `shift` points. */
    function resultsWith(shift: (pipeline: string) => number): Block {
      const cells = cellsOf('table2-ruler', [], 2).filter(
        ({ pipeline }) => !pipeline.endsWith('think(ratio=0.5)'),
      );
      const table = paperTable('table2');
      const match = matchTable(table, blockOf(cells));
      const score = new Map(
        places('table2').map((cell) => [
          `${match.rowOf(cell)?.pipeline ?? ''} ${cell.task ?? ''}`,
          cell.published!,
        ]),
      );
      const records = cells.flatMap((info) => {
        const name = info.task.slice(info.task.indexOf('/') + 1);
        const value = ((score.get(`${info.pipeline} ${name}`) ?? 50) + shift(info.pipeline)) / 100;
        return [0, 1].map((sample) => record(info, sample, { score: value }));
      });
      // The table wants 500 of each; two that are all there are to be had stand for them.
      return blockOf(cells, records);
    }

    const table = {
      ...paperTable('table2'),
      samples: Object.fromEntries(Object.keys(paperTable('table2').samples).map((name) => [name, 2])),
    };

    it('says of averages whether they lie within the published noise', () => {
      const block = resultsWith((pipeline) =>
        pipeline === 'tova(ratio=0.8)' ? -0.6 : pipeline === 'full' ? 0 : -0.4,
      );
      const rows = compareTable(table, block).sections[0]!.rows.map((row) => row.map(({ text }) => text));
      const [ours, published, difference] = rows.slice(9, 12);
      expect(ours!.slice(0, 5)).to.deep.equal(['TOVA', '', 'ours', '99.40', '99.40']);
      expect(published!.at(-1)).to.equal('82.24');
      expect(difference!.slice(3)).to.deep.equal([
        ...Array.from({ length: 13 }, () => '-0.60'),
        '-0.60 outside',
      ]);
      expect(rows[14]!.at(-1)).to.equal('-0.40 within');
      // The mean of the published tasks of Vanilla is 93.37; 93.36 was published.
      expect(rows[2]!.at(-1)).to.equal('+0.01 within');
    });

    it('says nothing of it where there are fewer samples, or another model', () => {
      const block = resultsWith(() => 0);
      const fewer = compareTable(paperTable('table2'), block);
      expect(fewer.sections[0]!.rows[2]!.at(-1)!.text).to.equal('+0.01');
      expect(fewer.notes.map(({ text }) => text).join('\n')).to.match(
        /Fewer samples than published: niah_single_1 2 of 500/,
      );
      const other = compareTable(table, { ...block, model: 'llama-3-8b-instruct' });
      expect(other.sections[0]!.rows.slice(0, 4).map((row) => row[2]!.text)).to.deep.equal([
        'ours',
        'published',
        'ours, % from full',
        'published, % from full',
      ]);
      expect(other.notes.map(({ text }) => text)).to.include(
        'Ours is llama-3-8b-instruct; published is llama-3.1-8b-instruct. Only changes from full can be compared.',
      );
    });

    it('takes a checkpoint by its path for the model', () => {
      const block = resultsWith(() => 0);
      for (const model of ['./Meta-Llama-3.1-8B-Instruct', '/models/meta-llama_Llama-3.1-8B-Instruct/']) {
        expect(matchTable(table, { ...block, model }).wholeReplication, model).to.equal(true);
      }
    });

    it('leaves a row that was not run to the published numbers', () => {
      const cells = cellsOf('table2-ruler', ['cache=[snapkv: {ratio: 0.8}]'], 2);
      const rows = compareTable(table, blockOf(cells)).sections[0]!.rows;
      expect(rows.filter((row) => row[0]!.text === 'TOVA').map((row) => row[2]!.text)).to.deep.equal([
        'published, not run',
      ]);
    });
  });

  describe('matchTable', () => {
    it('pairs scaled budgets in order of size, and says so', () => {
      const match = matchTable(paperTable('table3'), blockOf(cellsOf('table3-recovery-small')));
      expect([...match.standIns]).to.deep.equal([
        [128, 128],
        [512, 256],
        [1024, 512],
        [2048, 1024],
      ]);
      expect(match.remarks).to.include('256 stands for the published budget 512.');
      expect(match.remarks).to.include('snapkv.window is 32; in the paper 64.');
      expect(match.replication).to.equal(false);
    });

    it('takes a ratio for a budget only where all of them are ratios', () => {
      const cells = cellsOf('value-channels-small', ['cache=[snapkv: {ratio: 0.5}]'], 2);
      const match = matchTable(paperTable('value-channels'), blockOf(cells));
      expect(match.remarks).to.include('0.5 stands for the published budget 128.');
    });

    it('keeps the official and the corrected form out of the table', () => {
      const match = matchTable(paperTable('table1'), blockOf(cellsOf('table1-longbench')));
      expect(match.others.map(({ pipeline }) => pipeline)).to.include.members([
        'snapkv(budget=128)+think(ratio=0.5)',
        'pyramidkv(budget=512,variant=corrected)',
      ]);
      expect(match.others).to.have.length(10);
    });

    it('refuses two copies of one task', () => {
      const cells = cellsOf('table2-ruler', ['tasks=[ruler/vt, ruler-hub/vt]'], 2);
      expect(() => matchTable(paperTable('table2'), blockOf(cells))).to.throw(
        /hold both ruler\/vt and ruler-hub\/vt/,
      );
    });

    it('reads methods from labels with brackets inside', () => {
      const row = {
        pipeline: 'adakv(base=snapkv,with(window=32),ratio=0.5)+spark(ratio=0.5)',
        params: { 'adakv.ratio': 0.5, 'spark.ratio': 0.5 },
      };
      expect(stepsOf(row)).to.deep.equal([
        { method: 'adakv', params: { ratio: 0.5 } },
        { method: 'spark', params: { ratio: 0.5 } },
      ]);
    });
  });
});
