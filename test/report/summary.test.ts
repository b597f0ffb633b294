import { expect } from 'chai';
import { summarise } from '../../src/report/summary.js';
import { collectResults } from '../../src/results/cell-results.js';
import { cell, full, record, spark } from '../results/support.js';

describe('report/summary', () => {
  const task = (name: string, samples: number, values: readonly number[]) => {
    const infos = [full, spark].map((pipeline) => cell(pipeline, { task: name, samples }));
    return {
      infos,
      list: infos.flatMap((info, c) =>
        Array.from({ length: samples }, (_, sample) => record(info, sample, { score: values[c]! })),
      ),
    };
  };
  const one = task('ruler/one', 1, [1, 0.5]);
  const two = task('ruler/two', 3, [0.5, 0.5]);
  const results = collectResults([...one.infos, ...two.infos], [...one.list, ...two.list]);
  const cellsOf = (text: string): string[][] => text.split('\n').map((line) => line.trim().split(/ {2,}/));

  it('averages over tasks, each weighing the same', () => {
    expect(cellsOf(summarise(results, { width: 200 }))).to.deep.equal([
      ['spark-nano · context 1024 · question compressed'],
      ['pipeline', 'score', 'lost', 'lost %', 'stored %', 'samples', 'one', 'two'],
      ['full', '75.00', '–', '–', '23.5', '4', '100.00', '50.00'],
      ['spark(ratio=0.8)', '50.00', '25.00', '33.33', '23.5', '4', '50.00', '50.00'],
    ]);
  });

  it('says which samples were cut, each once', () => {
    const list = [...one.list, ...two.list].map((each, i) =>
      i < 2 || each.sample === 2 ? { ...each, truncated: true, promptTokens: 50 + each.sample } : each,
    );
    const cut = collectResults([...one.infos, ...two.infos], list);
    expect(summarise(cut, { width: 200 }).split('\n').slice(-2)).to.deep.equal([
      'ruler/one: 1 of 1 samples were cut to 50 tokens',
      'ruler/two: 1 of 3 samples were cut to 52 tokens',
    ]);
  });

  it('leaves the columns of single tasks out where they do not fit', () => {
    const lines = summarise(results, { width: 70 }).split('\n');
    expect(cellsOf(lines.join('\n'))[1]).to.deep.equal([
      'pipeline',
      'score',
      'lost',
      'lost %',
      'stored %',
      'samples',
    ]);
    expect(new Set(lines.slice(1).map((line) => line.length))).to.have.property('size', 1);
  });

  it('shows what is missing', () => {
    const partial = summarise(
      collectResults(
        one.infos.map((info) => ({ ...info, samples: 2 })),
        one.list.slice(0, 1),
      ),
    );
    expect(cellsOf(partial).slice(2)).to.deep.equal([
      ['full', '100.00', '–', '–', '23.5', '1/2'],
      ['spark(ratio=0.8)', '–', '–', '–', '–', '0/2'],
    ]);
  });

  it('tells no loss where the samples are not the same', () => {
    const left = one.list.slice(1);
    const text = summarise(collectResults([...one.infos, ...two.infos], [...left, ...two.list]));
    const rows = cellsOf(text).slice(2);
    expect(rows.map((row) => row.slice(0, 6))).to.deep.equal([
      ['full', '50.00', '–', '–', '23.5', '3/4'],
      ['spark(ratio=0.8)', '50.00', '–', '–', '23.5', '4'],
    ]);
  });

  it('writes no escapes unless asked to', () => {
    expect(summarise(results)).to.not.contain('\u001b');
    expect(summarise(results, { bold: true }).startsWith('\u001b[1mspark-nano')).to.equal(true);
  });
});
