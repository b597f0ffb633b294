import { expect } from 'chai';
import { changedFields, changedModels, continued } from '../../src/results/growth.js';
import { readManifest, writeManifest } from '../../src/results/manifest.js';
import type { Manifest } from '../../src/results/types.js';
import { join } from 'node:path';
import { cell, full, inFolder, manifest, record, spark } from './support.js';

const SPEC = {
  name: 'quick',
  model: ['a'],
  tasks: [{ task: 'ruler/one', params: {}, samples: 4 }],
  context: [1024],
  seed: [42],
  question: ['compressed'],
  cache: [{ label: 'full' }],
  cache_dtype: 'bfloat16',
};

describe('results/growth', () => {
  it('lets everything come and go that decides only which results are asked for', () => {
    const other = {
      ...SPEC,
      name: 'slow',
      model: ['b', 'a'],
      tasks: [{ task: 'ruler/two', params: { n: 1 }, samples: 9 }],
      context: [2048],
      seed: [42, 43],
      question: ['appended', 'compressed'],
      cache: [{ label: 'full' }, { label: 'snapkv' }],
    };
    expect(changedFields(SPEC, other)).to.deep.equal([]);
    expect(changedFields(other, SPEC)).to.deep.equal([]);
  });

  it('names every field that gives results another meaning, with both values', () => {
    const changes: [object, string][] = [
      [{ seed: [43] }, 'seed: 42 → 43'],
      [{ seed: [43, 44] }, 'seed: 42 → 43, 44'],
      [{ model: ['b'] }, 'model: a → b'],
      [{ question: ['appended'] }, 'question: compressed → appended'],
      [{ cache_dtype: 'float32' }, 'cache_dtype: bfloat16 → float32'],
      [{ max_context: 512 }, 'max_context: null → 512'],
      [{ later: true }, 'later: null → true'],
    ];
    for (const [change, line] of changes) {
      expect(changedFields(SPEC, { ...SPEC, ...change, context: [1] })).to.deep.equal([line]);
    }
  });

  it('compares models of the same name', () => {
    const [model] = manifest([]).models;
    const other = { ...model!, tokenizerDigest: 'u', configDigest: 'd' };
    expect(changedModels([model!], [{ ...other, name: 'new' }])).to.deep.equal([]);
    expect(changedModels([model!], [other])).to.deep.equal([
      'tokenizer of spark-nano: t → u',
      'configuration of spark-nano: c → d',
    ]);
  });

  it('keeps every spec of a folder in order, and what is left out of the last', () =>
    inFolder((folder) => {
      const [one, two, three] = [cell(full), cell(spark), cell(full, { context: 2048 })];
      const at = (day: number, changes: Partial<Manifest>, cells = [one]): Manifest =>
        manifest(cells, { startedAt: `2026-01-0${day}T00:00:00.000Z`, ...changes });
      const first = at(1, {}, [one, two]);
      const records = [record(one, 0), record(two, 0)];
      expect(continued(at(2, {}, [one, two]), undefined, [])).to.not.have.property('original');
      const resumed = continued(at(2, {}, [one, two]), first, records);
      expect(resumed).to.include({ startedAt: first.startedAt });
      expect(resumed.extensions).to.equal(undefined);
      const grown = continued(
        at(3, { specHash: 'b', version: '0.2.0', git: { commit: 'c', dirty: false } }, [one, three]),
        resumed,
        records,
      );
      expect(grown.original).to.deep.include({ specHash: first.specHash, startedAt: first.startedAt });
      expect(grown.extensions).to.deep.equal([
        {
          spec: grown.spec,
          specHash: 'b',
          version: '0.2.0',
          git: { commit: 'c', dirty: false },
          startedAt: '2026-01-03T00:00:00.000Z',
        },
      ]);
      expect(grown.leftOut).to.deep.equal([two]);
      const again = continued(at(4, { specHash: 'b' }, [one, three]), grown, records);
      expect(again.extensions).to.deep.equal(grown.extensions);
      const back = continued(at(5, {}, [one, two]), again, records);
      expect(back.extensions!.map(({ specHash }) => specHash)).to.deep.equal(['b', first.specHash]);
      expect(back.leftOut).to.equal(undefined);
      const path = join(folder, 'manifest.json');
      writeManifest(path, grown);
      expect(readManifest(path)).to.deep.equal(grown);
    }));

  it('keeps what is known of a model whose results are left out', () => {
    const [one, other] = [cell(full), cell(full, { model: 'other' })];
    const model = manifest([]).models[0]!;
    const models = [model, { ...model, name: 'other' }, { ...model, name: 'unused' }];
    const grown = continued(manifest([one], { specHash: 'b' }), manifest([one, other], { models }), [
      record(one, 0),
      { ...record(other, 0), cell: other.key },
    ]);
    expect(other.key).to.equal(one.key);
    expect(grown.models.map(({ name }) => name)).to.deep.equal(['spark-nano']);
    const kept = { ...other, key: '0123456789abcdef' };
    const left = continued(manifest([one], { specHash: 'b' }), manifest([one, kept], { models }), [
      { ...record(one, 0), cell: kept.key },
    ]);
    expect(left.models.map(({ name }) => name)).to.deep.equal(['spark-nano', 'other']);
  });
});
