import { expect } from 'chai';
import * as z from 'zod';
import { SpecDocument } from '../../src/experiment/document.js';
import { resolveSpec, specHash } from '../../src/experiment/load.js';
import type { SpecCatalogue } from '../../src/experiment/types.js';
import { catalogue, labels, load, specText } from './support.js';

describe('spec/load', () => {
  it('fills in defaults', () => {
    const spec = load(specText());
    expect(spec).to.include({ name: 'quick', output: '/work-folder/results/quick', cacheDtype: 'bfloat16' });
    expect(spec.groups).to.deep.equal([
      {
        model: 'spark-nano',
        task: 'ruler/one',
        taskParams: { depth: 0.5 },
        context: 1024,
        seed: 42,
        samples: 20,
        question: 'compressed',
      },
    ]);
    expect(spec.pipelines).to.deep.equal([{ label: 'full', steps: [] }]);
  });

  it('makes groups of the product of all axes, the last axis fastest', () => {
    const spec = load(
      specText({
        model: '[spark-nano, ./other.gguf]',
        tasks: '[ruler/two, other/one]',
        context: '[1024, 2048]',
        seed: '[1, 2]',
        question: '[compressed, appended]',
      }),
    );
    expect(spec.groups).to.have.length(32);
    expect(
      spec.groups.slice(0, 3).map((g) => [g.model, g.task, g.context, g.seed, g.question]),
    ).to.deep.equal([
      ['spark-nano', 'ruler/two', 1024, 1, 'compressed'],
      ['spark-nano', 'ruler/two', 1024, 1, 'appended'],
      ['spark-nano', 'ruler/two', 1024, 2, 'compressed'],
    ]);
    expect(spec.groups[31]).to.include({
      model: './other.gguf',
      context: 2048,
      seed: 2,
      question: 'appended',
    });
  });

  it('a field that a task ignores is no axis for it', () => {
    const tasks: SpecCatalogue['tasks'] = new Map([
      ...catalogue.tasks,
      ['rows/one', { params: z.strictObject({}), family: 'rows', ignores: ['context', 'seed'] }],
      ['rows/two', { params: z.strictObject({}), family: 'rows', ignores: ['seed'] }],
    ]);
    const text = specText({
      tasks: '[ruler/two, rows]',
      context: '[1024, 2048]',
      seed: '[1, 2]',
      question: '[compressed, appended]',
    });
    const { groups } = resolveSpec(SpecDocument.parse(text, 'my.yaml'), {
      catalogue: { ...catalogue, tasks },
    });
    const of = (task: string) =>
      groups.filter((g) => g.task === task && g.question === 'appended').map((g) => [g.context, g.seed]);
    expect(of('ruler/two')).to.have.length(4);
    expect(of('rows/one')).to.deep.equal([[1024, 1]]);
    expect(of('rows/two')).to.deep.equal([
      [1024, 1],
      [2048, 1],
    ]);
  });

  it('takes a family for all of its tasks, and keeps a task once with the greater number of samples', () => {
    const spec = load(
      specText({ tasks: '[ruler, {task: ruler/two, samples: 50}, {task: other, samples: 3}]' }),
    );
    expect(spec.groups.map((group) => [group.task, group.samples])).to.deep.equal([
      ['ruler/one', 20],
      ['ruler/two', 50],
      ['other/one', 3],
    ]);
  });

  it('sweeps task parameters', () => {
    const spec = load(specText({ tasks: '{task: ruler/one, depth: [0, 0.5, 1]}' }));
    expect(spec.groups.map((group) => group.taskParams)).to.deep.equal([
      { depth: 0 },
      { depth: 0.5 },
      { depth: 1 },
    ]);
  });

  it('takes a single task or model without a list', () => {
    expect(load(specText({ tasks: 'other/one' })).groups.map((group) => group.task)).to.deep.equal([
      'other/one',
    ]);
  });

  describe('pipelines', () => {
    it('puts full first, once', () => {
      expect(labels('[{snapkv: {budget: 256}}, full, full]')).to.deep.equal(['full', 'snapkv(budget=256)']);
      expect(labels('[spark: {ratio: 0.5}]')).to.deep.equal(['full', 'spark(ratio=0.5)']);
    });

    it('takes a method without parameters as a bare name or with nothing behind it', () => {
      expect(labels('[snapkv]')).to.deep.equal(['full', 'snapkv']);
      expect(labels('\n  - snapkv:\n')).to.deep.equal(['full', 'snapkv']);
    });

    it('sweeps parameters of each step and makes their product', () => {
      expect(labels('[[{snapkv: {budget: [64, 128]}}, {spark: {ratio: [0.5, 0.8]}}]]')).to.deep.equal([
        'full',
        'snapkv(budget=64)+spark(ratio=0.5)',
        'snapkv(budget=64)+spark(ratio=0.8)',
        'snapkv(budget=128)+spark(ratio=0.5)',
        'snapkv(budget=128)+spark(ratio=0.8)',
      ]);
    });

    it('shows only what differs from the defaults, in the order of the schema', () => {
      expect(
        labels('[{spark: {recovery: none, ratio: 0.50}}, {snapkv: {window: 64, budget: 1.28e2}}]'),
      ).to.deep.equal(['full', 'spark(ratio=0.5,recovery=none)', 'snapkv(budget=128)']);
    });

    it('keeps pipelines of equal label once', () => {
      expect(labels('[{snapkv: {budget: 64}}, {snapkv: {budget: 64, window: 64}}]')).to.deep.equal([
        'full',
        'snapkv(budget=64)',
      ]);
    });

    it('does not sweep a parameter that is a list itself', () => {
      expect(labels('[{spark: {ratio: 0.5, layers: [0, 1]}}]')).to.deep.equal([
        'full',
        'spark(ratio=0.5,layers=[0,1])',
      ]);
    });

    it('gives every step all its parameters', () => {
      const spec = load(specText({ cache: '[{spark: {ratio: 0.5}}]' }));
      expect(spec.pipelines[1]!.steps).to.deep.equal([
        { method: 'spark', params: { ratio: 0.5, recovery: 'degenerate' } },
      ]);
    });
  });

  it('hashes what is meant, not how it is written', () => {
    const hash = specHash(load(specText({ cache: '[{snapkv: {budget: 64}}]', output: 'a' })));
    expect(
      specHash(load(specText({ cache: '[full, {snapkv: {window: 64, budget: 64}}]', output: 'b' }))),
    ).to.equal(hash);
    expect(specHash(load(specText({ cache: '[{snapkv: {budget: 65}}]' })))).not.to.equal(hash);
    expect(specHash(load(specText({ cache: '[{snapkv: {budget: 64}}]', samples: '21' })))).not.to.equal(hash);
  });

  it('resolves anchors', () => {
    expect(labels('[&s {snapkv: {budget: 64}}, [*s, {spark: {ratio: 0.5}}]]')).to.deep.equal([
      'full',
      'snapkv(budget=64)',
      'snapkv(budget=64)+spark(ratio=0.5)',
    ]);
  });
});
