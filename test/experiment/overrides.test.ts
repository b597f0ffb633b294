import { expect } from 'chai';
import { load, problemsOf, specText } from './support.js';

const text = specText({ cache: '[full, {spark: {ratio: 0.5}}, [snapkv, {spark: {ratio: 0.5}}]]' });

function pipelines(...overrides: string[]): string[] {
  return load(text, overrides).pipelines.map((pipeline) => pipeline.label);
}

describe('spec/overrides', () => {
  it('changes a value deep in the file', () => {
    expect(pipelines('cache.1.spark.ratio=0.8')).to.include('spark(ratio=0.8)');
    expect(pipelines('cache.2.1.spark.ratio=0.8')).to.include('snapkv+spark(ratio=0.8)');
  });

  it('takes a path as errors show it', () => {
    expect(pipelines('cache[1].spark.ratio=0.8')).to.include('spark(ratio=0.8)');
    expect(pipelines('cache[2][1].spark.ratio=0.8')).to.include('snapkv+spark(ratio=0.8)');
    expect(pipelines('cache[1].spark={ratio: 0.8}')).to.include('spark(ratio=0.8)');
  });

  it('reads the value as YAML', () => {
    expect(pipelines('cache.1.spark.ratio=[0.1, 0.2]')).to.include.members([
      'spark(ratio=0.1)',
      'spark(ratio=0.2)',
    ]);
    expect(pipelines('cache=[{spark: {ratio: 0.9}}]')).to.deep.equal(['full', 'spark(ratio=0.9)']);
    expect(load(text, ['output=a=b']).output).to.equal('/work-folder/a=b');
  });

  it('adds a key that the file leaves out, and applies overrides in order', () => {
    expect(load(text, ['samples=5', 'samples=6']).groups[0]!.samples).to.equal(6);
    expect(
      load(specText({ cache: '\n  - snapkv:\n' }), ['cache.0.snapkv.budget=64']).pipelines[1]!.label,
    ).to.equal('snapkv(budget=64)');
  });

  const refuses = (override: string): string => problemsOf(() => load(text, [override]))[0]!;

  it('refuses a path that leads nowhere', () => {
    expect(refuses('cache.1.snapkv.ratio=0.8')).to.equal(
      '--set cache.1.snapkv.ratio=0.8  cache.1 has no key "snapkv". Its keys: spark.',
    );
    expect(refuses('cache.1.sparc.ratio=0.8')).to.contain('Did you mean "spark"?');
    expect(refuses('cache.3=full')).to.contain(
      'cache is a list of 3; expected an index from 0 to 2, got "3"',
    );
    expect(refuses('cache.x=full')).to.contain('got "x"');
    expect(refuses('cache.0.spark=1')).to.contain('cache.0 is a single value; it has no "spark"');
  });

  it('refuses what is no path=value', () => {
    expect(refuses('samples')).to.contain('expected path=value, got no "="');
    expect(refuses('=5')).to.contain('expected keys and numbers joined by dots');
    expect(refuses('a..b=5')).to.contain('expected keys and numbers joined by dots');
    expect(refuses('samples=')).to.contain('expected a value');
    expect(refuses('samples=[1')).to.contain('the value is not valid YAML');
    expect(problemsOf(() => load(text, ['samples=1\n---\n2'])).at(-1)).to.contain(
      'the value is not valid YAML: expected one document, found a second',
    );
    expect(refuses('cache[x]=5')).to.contain('unknown key "cache[x]"');
    expect(refuses('[0]=5')).to.contain('expected keys and numbers joined by dots');
  });

  it('does not reach through an alias', () => {
    const aliased = specText({ cache: '[&s {snapkv: {budget: 64}}, *s]' });
    expect(problemsOf(() => load(aliased, ['cache.1.snapkv.budget=65']))[0]).to.contain(
      'cache.1 is an alias (*s)',
    );
  });

  it('shows the flag as the place of what it brought in', () => {
    expect(refuses('cache.1.spark.ratio=2')).to.equal(
      '--set cache.1.spark.ratio=2  cache[1].spark.ratio: expected a number in [0, 1), got 2',
    );
    expect(refuses('smples=2')).to.equal('--set smples=2  unknown key "smples". Did you mean "samples"?');
    expect(refuses('cache.1={spork: {}}')).to.contain('--set cache.1={spork: {}}  unknown method "spork"');
  });
});
