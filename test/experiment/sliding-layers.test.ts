/** `layers: all` beside a method's own parameters: the step acts on sliding layers too. */
import { expect } from 'chai';
import { SpecDocument } from '../../src/experiment/document.js';
import { resolveSpec } from '../../src/experiment/load.js';
import type { Pipeline } from '../../src/methods/types.js';
import { catalogue, problemsOf, specText } from './support.js';

function pipelines(cache: string): readonly Pipeline[] {
  const document = SpecDocument.parse(specText({ cache }), 'my.yaml');
  return resolveSpec(document, { catalogue, directory: '/work-folder' }).pipelines.slice(1);
}

describe('spec: layers of a step', () => {
  it('stands beside the parameters, in the label, and makes another pipeline', () => {
    const found = pipelines('[{snapkv: {budget: 64}}, {snapkv: {budget: [64, 128], layers: all}}]');
    expect(found.map(({ label }) => label)).to.deep.equal([
      'snapkv(budget=64)',
      'snapkv(budget=64,layers=all)',
      'snapkv(budget=128,layers=all)',
    ]);
    expect(found[0]!.steps[0]!.params).not.to.have.property('layers');
    expect(found[1]!.steps[0]!.params).to.include({ budget: 64, layers: 'all' });
  });

  it('is the method’s own where it has a parameter of that name', () => {
    const [one] = pipelines('[{spark: {ratio: 0.5, layers: [1]}}]');
    expect(one!.steps[0]!.params['layers']).to.deep.equal([1]);
    expect(one!.label).to.equal('spark(ratio=0.5,layers=[1])');
  });

  it('is all, or is not given', () => {
    const problems = problemsOf(() => pipelines('[{snapkv: {budget: 64, layers: some}}]'));
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/layers: expected "all" \(sliding layers too\), or nothing, got "?some/);
  });
});
