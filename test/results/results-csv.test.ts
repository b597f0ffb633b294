import { expect } from 'chai';
import { read } from 'vega';
import { collectResults } from '../../src/results/cell-results.js';
import { resultsCsv } from '../../src/results/results-csv.js';
import type { Manifest } from '../../src/results/types.js';
import { cell, full, manifest, record, spark } from './support.js';

type Row = Record<string, string>;

const parse = (csv: string): Row[] => read(csv, { type: 'csv', parse: null as never }) as Row[];
const table = (one: Manifest, records: Parameters<typeof collectResults>[1]): string =>
  resultsCsv(collectResults(one.cells, records), one);

const evicted = {
  label: 'snapkv(budget=256,window=8)',
  steps: [{ method: 'snapkv', params: { budget: 256, window: 8 } }],
};
const cells = [full, evicted, spark].map((pipeline) =>
  cell(pipeline, { taskParams: { variant: 'a, "b"' }, maxContext: 900 }),
);
const scores = [
  [1, 1, 0, 1],
  [1, 0, 0, 0],
  [0.5, 0.25],
];
const records = cells.flatMap((info, c) =>
  scores[c]!.map((score, sample) => record(info, sample, { score, truncated: sample === 0 })),
);
const own = manifest(cells, { version: '1.2.3' });

describe('results/results-csv', () => {
  it('has its columns in a fixed order', () => {
    expect(table(own, records).split('\n')[0]).to.equal(
      'cell,model,task,context,seed,question,pipeline,' +
        'max_context,snapkv.budget,snapkv.window,spark.ratio,spark.recovery,task.variant,' +
        'samples_asked,samples,truncated,inapplicable,score_percent,stderr_points,ci95_low_percent,ci95_high_percent,' +
        'pairs,full_score_percent,lost,lost_relative_percent,p_sign_flip,' +
        'prompt_tokens,kept_tokens,kept_share,full_bytes,stored_bytes,' +
        'value_bytes,mask_bytes,sign_bytes,scale_bytes,index_bytes,latent_bytes,stored_share,paper_share,' +
        'engine,version,weights_digest,tokenizer_digest,config_digest,data_digest',
    );
  });

  it('tells a loss as a positive number, on the samples that both have', () => {
    const [base, worse, partial] = parse(table(own, records));
    expect(base).to.include({ samples: '4', score_percent: '75', lost: '', pairs: '', p_sign_flip: '' });
    expect(worse).to.include({ score_percent: '25', full_score_percent: '75', lost: '50', pairs: '4' });
    expect(Number(worse!['lost_relative_percent'])).to.be.closeTo(66.667, 1e-3);
    // Two samples differ, both in one direction: two of four assignments of signs are as far from 0.
    expect(worse!['p_sign_flip']).to.equal('0.5');
    expect(partial).to.include({ samples: '2', samples_asked: '4', pairs: '2' });
    expect(partial).to.include({ score_percent: '37.5', full_score_percent: '100', lost: '62.5' });
    for (const row of [base!, worse!, partial!]) {
      expect(Number(row['ci95_low_percent'])).to.be.within(0, Number(row['score_percent']));
      expect(Number(row['ci95_high_percent'])).to.be.within(Number(row['score_percent']), 100);
    }
  });

  it('has parameters, bytes, shares and what the cell was made of', () => {
    const [, , row] = parse(table(own, records));
    expect(row).to.include({
      cell: cells[2]!.key,
      'spark.ratio': '0.8',
      'snapkv.budget': '',
      'task.variant': 'a, "b"',
      max_context: '900',
      kept_share: '0.256',
      full_bytes: '1000',
      stored_bytes: '235',
      value_bytes: '200',
      mask_bytes: '20',
      stored_share: '0.235',
      paper_share: '0.2',
      engine: 'wasm',
      version: '1.2.3',
      weights_digest: 'w',
      tokenizer_digest: 't',
      config_digest: 'c',
      data_digest: 'd',
    });
  });

  it('leaves empty what is not known', () => {
    const bare = cells.map(({ dataDigest: _, ...info }) => info);
    const digests = ['d', 'e'].map((digest) => ({ task: 'ruler/one', digest }));
    const [row] = parse(table({ ...own, cells: bare, data: digests, models: [] }, []));
    const empty = ['score_percent', 'stderr_points', 'ci95_low_percent', 'kept_tokens', 'kept_share'];
    for (const name of [...empty, 'stored_bytes', 'stored_share', 'weights_digest', 'data_digest']) {
      expect(row![name], name).to.equal('');
    }
    expect(row).to.include({ samples: '0', truncated: '0' });
    expect(parse(table({ ...own, cells: bare }, []))[0]).to.include({ data_digest: 'd' });
  });
});
