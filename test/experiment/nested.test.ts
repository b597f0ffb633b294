/** A method that takes another with that one's own parameters: `adakv: {base: snapkv, with: {window: 32}}`. */
import { expect } from 'chai';
import { adakv } from '../../src/methods/wrappers/adakv.js';
import { SpecDocument } from '../../src/experiment/document.js';
import { specJsonSchema } from '../../src/experiment/json-schema.js';
import { resolveSpec } from '../../src/experiment/load.js';
import type { PlainSpec } from '../../src/experiment/types.js';
import { catalogue as plain, problemsOf, specText } from './support.js';

const catalogue = { ...plain, methods: new Map([...plain.methods, ['adakv', adakv]] as const) };

function load(cache: string): PlainSpec {
  const document = SpecDocument.parse(specText({ cache }), 'my.yaml');
  return resolveSpec(document, { catalogue, directory: '/work-folder' });
}

const labels = (cache: string) =>
  load(cache)
    .pipelines.map(({ label }) => label)
    .slice(1);

function one(cache: string): string {
  const problems = problemsOf(() => load(cache));
  expect(problems).to.have.length(1);
  return problems[0]!;
}

describe('spec: parameters of a method inside another', () => {
  it('have their own defaults filled in, and the label shows what differs from them', () => {
    const [, pipeline] = load('[{adakv: {base: snapkv, with: {window: 32}, ratio: 0.5}}]').pipelines;
    expect(pipeline!.label).to.equal('adakv(base=snapkv,with(window=32),ratio=0.5)');
    expect(pipeline!.steps[0]!.params['with']).to.include({ window: 32, kernel: 5 });
  });

  it('are the same written out or left out', () => {
    expect(
      labels(
        '[{adakv: {base: snapkv, ratio: 0.5}}, {adakv: {base: snapkv, with: {window: 64}, ratio: 0.5}}]',
      ),
    ).to.deep.equal(['adakv(base=snapkv,ratio=0.5)']);
  });

  it('are swept inside, and beside the other parameters', () => {
    expect(
      labels('[{adakv: {base: snapkv, with: {window: [16, 32], kernel: 1}, ratio: [0.2, 0.5]}}]'),
    ).to.deep.equal([
      'adakv(base=snapkv,with(window=16,kernel=1),ratio=0.2)',
      'adakv(base=snapkv,with(window=32,kernel=1),ratio=0.2)',
      'adakv(base=snapkv,with(window=16,kernel=1),ratio=0.5)',
      'adakv(base=snapkv,with(window=32,kernel=1),ratio=0.5)',
    ]);
    expect(labels('[{adakv: {base: [snapkv, tova], ratio: 0.5}}]')).to.deep.equal([
      'adakv(base=snapkv,ratio=0.5)',
      'adakv(base=tova,ratio=0.5)',
    ]);
    expect(labels('[{adakv: {base: snapkv, with: [{window: 8}, {kernel: 3}], ratio: 0.5}}]')).to.have.length(
      2,
    );
  });

  it('are checked where they stand', () => {
    expect(one('[{adakv: {base: snapkv, with: {window: 0}, ratio: 0.5}}]')).to.equal(
      'my.yaml:5:47  cache[0].adakv.with.window: expected an integer in [1, 1024], got 0',
    );
    expect(one('[{adakv: {base: snapkv, with: {window: [8, 0]}, ratio: 0.5}}]')).to.contain(
      'cache[0].adakv.with.window[1]: expected an integer in [1, 1024], got 0',
    );
    expect(one('[{adakv: {base: snapkv, with: {windw: 8}, ratio: 0.5}}]')).to.equal(
      'my.yaml:5:39  cache[0].adakv.with: unknown key "windw". Did you mean "window"?',
    );
    expect(one('[{adakv: {base: snapkv, with: {ratio: 0.5}}}]')).to.contain('unknown key "ratio"');
    expect(one('[{adakv: {base: snapkv, with: 8, ratio: 0.5}}]')).to.match(
      /adakv\.with: expected a mapping, got 8/,
    );
  });

  it('and what they need of the budget is told at the budget', () => {
    expect(one('[{adakv: {base: snapkv, budget: 32}}]')).to.match(
      /cache\[0\]\.adakv\.budget: expected at least 64 .*, got 32/,
    );
    expect(one('[{adakv: {base: snapkv}}]')).to.match(/cache\[0\]\.adakv: expected exactly one of budget/);
    expect(one('[{adakv: {ratio: 0.5}}]')).to.match(/adakv\.base: expected "snapkv".*, got nothing/);
    expect(one('[{adakv: {base: spark, ratio: 0.5}}]')).to.match(
      /adakv\.base: expected "snapkv".*, got "spark"/,
    );
    expect(one('[{adakv: {base: {toString: 1}, ratio: 0.5}}]')).to.match(
      /adakv\.base: expected "snapkv".*, got a mapping with toString/,
    );
  });

  it('are bounded as all sweeps are', () => {
    const list = JSON.stringify(Array.from({ length: 101 }, (_, i) => i + 1));
    expect(
      one(
        `[{adakv: {base: snapkv, with: {window: ${list}}, alpha: ${list.replaceAll(/\d+/g, (n) => String(Number(n) / 200))}, ratio: 0.1}}]`,
      ),
    ).to.match(/expands to \d+ cells, at most 10000/);
  });

  it('are a mapping, or a list of them, to an editor', () => {
    const text = JSON.stringify(specJsonSchema(catalogue));
    expect(text).to.contain('"with":{"description"');
  });
});
