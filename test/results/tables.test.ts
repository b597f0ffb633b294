import { expect } from 'chai';
import fc from 'fast-check';
import { accuracyCsv } from '../../src/results/accuracy.js';
import { collectResults } from '../../src/results/cell-results.js';
import { scoreInterval } from '../../src/results/interval.js';
import { memoryCsv } from '../../src/results/memory.js';
import type { CellInfo, SampleRecord } from '../../src/results/types.js';
import { cell, full, record, spark } from './support.js';

const snapkv = {
  label: 'snapkv(budget=256,window=8)',
  steps: [{ method: 'snapkv', params: { budget: 256, window: 8 } }],
};
const cells = [full, snapkv, spark].map((pipeline) => cell(pipeline));
const scores = [
  [1, 1, 0.5, 1],
  [1, 0, 0.5, 1 / 3],
  [0, 0, 0, 0],
];
const records = cells.flatMap((info, c) =>
  scores[c]!.map((score, sample) => record(info, sample, { score, truncated: sample === 0 })),
);

/** Rows by column name; no field of these tables holds a comma but the quoted pipeline. */
function parse(csv: string): Record<string, string>[] {
  const [header, ...rows] = csv
    .trim()
    .split('\n')
    .map((line) => [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((match) => match[1] ?? match[2]!));
  return rows.map((row) => Object.fromEntries(header!.map((name, i) => [name, row[i]!])));
}

const accuracy = (infos: readonly CellInfo[], list: readonly SampleRecord[]): string =>
  accuracyCsv(collectResults(infos, list));

describe('results/accuracy', () => {
  it('has its columns in a fixed order, every parameter in one of its own', () => {
    expect(accuracy(cells, records).split('\n')[0]).to.equal(
      'model,task,context,pipeline,seed,snapkv.budget,snapkv.window,spark.ratio,spark.recovery,question,' +
        'samples,truncated,score,stderr,ci95_low,ci95_high,full_score,delta,relative_delta,p_value',
    );
  });

  it('writes scores, their errors and what was lost against full', () => {
    const [base, evicted, pruned] = parse(accuracy(cells, records));
    expect(base).to.include({
      pipeline: 'full',
      'snapkv.budget': '',
      samples: '4',
      truncated: '1',
      score: '87.5',
      full_score: '87.5',
      delta: '0',
      relative_delta: '0',
      p_value: '',
    });
    // Scores 100, 100, 50, 100: variance 625, standard error 25 / 2.
    expect(base!['stderr']).to.equal('12.5');
    const [low, high] = scoreInterval(scores[0]!)!;
    expect([Number(base!['ci95_low']), Number(base!['ci95_high'])]).to.deep.equal([100 * low, 100 * high]);
    const third = (100 * (1 + 0 + 0.5 + 1 / 3)) / 4;
    expect(Number(evicted!['score'])).to.equal(third);
    expect(Number(evicted!['delta'])).to.equal(third - 87.5);
    expect(Number(evicted!['relative_delta'])).to.equal((third - 87.5) / 87.5);
    // Two differences of one sign: 2 of the 4 assignments are as extreme.
    expect(evicted).to.include({
      pipeline: 'snapkv(budget=256,window=8)',
      'snapkv.window': '8',
      p_value: '0.5',
    });
    expect(pruned).to.include({
      score: '0',
      stderr: '0',
      relative_delta: '-1',
      p_value: '0.125',
      'spark.recovery': 'none',
    });
  });

  it('does not depend on the order of the records', () => {
    const csv = accuracy(cells, records);
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
        expect(accuracy(cells, shuffled)).to.equal(csv);
      }),
    );
  });

  it('does not depend on times, memory or predictions', () => {
    const later = records.map((entry) => ({
      ...entry,
      prefillSeconds: 9,
      decodeSeconds: 7,
      peakRssBytes: 1,
      prediction: '',
    }));
    expect(accuracy(cells, later)).to.equal(accuracy(cells, records));
  });

  it('writes numbers that read back as the same numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
        (list) => {
          const info = cell(full);
          const csv = parse(
            accuracy(
              [info],
              list.map((score, sample) => record(info, sample, { score })),
            ),
          );
          const mean = (100 * list.reduce((sum, score) => sum + score, 0)) / list.length;
          expect(Number(csv[0]!['score'])).to.be.closeTo(mean, 1e-9);
          expect(String(Number(csv[0]!['score']))).to.equal(csv[0]!['score']);
        },
      ),
    );
  });

  it('compares on the samples that both have, and leaves the rest empty', () => {
    const some = records.filter((entry) => entry.cell !== cells[0]!.key || entry.sample > 1);
    const [, evicted] = parse(accuracy(cells, some));
    expect(Number(evicted!['full_score'])).to.equal(75);
    expect(Number(evicted!['delta'])).to.be.closeTo((100 * (0.5 + 1 / 3)) / 2 - 75, 1e-9);
    const [, alone, none] = parse(accuracy(cells, [record(cells[1]!, 0)]));
    expect(alone).to.include({
      samples: '1',
      score: '50',
      stderr: '',
      full_score: '',
      delta: '',
      p_value: '',
    });
    expect(none).to.include({ samples: '0', truncated: '0', score: '' });
  });

  it('has no relative loss against a full score of 0', () => {
    const zero = [record(cells[0]!, 0, { score: 0 }), record(cells[1]!, 0, { score: 1 })];
    expect(parse(accuracy(cells, zero))[1]).to.include({ full_score: '0', delta: '100', relative_delta: '' });
  });

  it('ignores samples beyond those asked for, and cells that are not asked for', () => {
    const more = [...records, record(cells[0]!, 4, { score: 0 }), record(cell(full, { context: 7 }), 0)];
    expect(accuracy(cells, more)).to.equal(accuracy(cells, records));
  });

  it('compares with the full cell of the same seed and task parameters', () => {
    const infos = [1, 2].flatMap((seed) =>
      [0, 1].flatMap((depth) =>
        [full, spark].map((p) => cell(p, { seed, taskParams: { depth }, samples: 1 })),
      ),
    );
    const list = infos.map((info, i) => record(info, 0, { score: info.pipeline === 'full' ? i / 10 : 0 }));
    const rows = parse(accuracy(infos, list));
    expect(
      rows.filter((row) => row['pipeline'] !== 'full').map((row) => [row['task.depth'], row['full_score']]),
    ).to.deep.equal([
      ['0', '0'],
      ['1', '20'],
      ['0', '40'],
      ['1', '60'],
    ]);
  });
});

describe('results/memory', () => {
  it('writes means per sample and ratios of sums', () => {
    const info = cell(full);
    const list = [
      record(info, 0),
      record(info, 1, {
        keptTokens: 128,
        fullBytes: 3000,
      }),
    ];
    expect(parse(memoryCsv(collectResults([info], list)))[0]).to.include({
      samples: '2',
      kept_tokens_mean: '192',
      full_bytes: '2000',
      stored_bytes: '235',
      value_bytes: '200',
      mask_bytes: '20',
      sign_bytes: '10',
      scale_bytes: '5',
      index_bytes: '0',
      latent_bytes: '0',
      stored_over_full: String(470 / 4000),
      paper_over_full: '0.1',
    });
  });

  it('leaves everything empty without records', () => {
    expect(
      Object.values(parse(memoryCsv(collectResults([cell(full)], [])))[0]!)
        .slice(-11)
        .join(''),
    ).to.equal('');
  });
});
