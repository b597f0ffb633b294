import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { loadSpec } from '../../src/experiment/load.js';
import { foreseeReach } from '../../src/runner/refusals.js';

const spec = (name: string): string =>
  fileURLToPath(new URL(`../../experiments/paper/${name}.yaml`, import.meta.url));

describe('what a plan foresees without weights and data', () => {
  it('says of table 1, task by task, what reaches beyond the positions of its model', async () => {
    const remarks = foreseeReach(await loadSpec(spec('table1-longbench')));
    expect(remarks.map((remark) => remark.split(':')[0])).to.deep.equal([
      'longbench-hub/gov_report',
      'longbench-hub/qmsum',
      'longbench-hub/multi_news',
    ]);
    expect(remarks[0]).to.contain(
      'contexts of up to 7950 tokens and 532 to generate reach 290 beyond the 8192 positions of llama-3-8b-instruct',
    );
  });

  it('says nothing where all stays within', async () => {
    expect(foreseeReach(await loadSpec(spec('table1-longbench-small')))).to.deep.equal([]);
  });
});
