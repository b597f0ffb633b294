import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson, digestOf } from '../../src/base/canonical-json.js';
import { cellInfo, cellKey } from '../../src/results/cell-key.js';
import { digests, group, spark } from './support.js';

describe('results/cell-key', () => {
  const key = (
    groupChanges: object = {},
    digestChanges: object = {},
    steps: Parameters<typeof cellKey>[1] = spark.steps,
    dtype = 'bfloat16',
  ): string => cellKey({ ...group, ...groupChanges }, steps, dtype, { ...digests, ...digestChanges });

  it('changes with everything that can change an answer', () => {
    const keys = [
      key(),
      key({ task: 'ruler/two' }),
      key({ taskParams: { depth: 1 } }),
      key({ context: 2048 }),
      key({ maxContext: 1000 }),
      key({ seed: 43 }),
      key({ question: 'appended' }),
      key({}, { weightsDigest: 'x' }),
      key({}, { tokenizerDigest: 'x' }),
      key({}, { configDigest: 'x' }),
      key({}, { dataDigest: 'x' }),
      key({}, { protocol: 2 }),
      key({}, {}, []),
      key({}, {}, [...spark.steps, ...spark.steps]),
      key({}, {}, [{ method: 'spark', params: { ratio: 0.5, recovery: 'none' } }]),
      key({}, {}, spark.steps, 'float32'),
    ];
    expect(new Set(keys)).to.have.property('size', keys.length);
    for (const one of keys) expect(one).to.match(/^[0-9a-f]{16}$/);
  });

  it('does not change with names, sample counts or the order of parameters', () => {
    expect(key({ model: 'other', samples: 7 })).to.equal(key());
    expect(key({}, {}, [{ method: 'spark', params: { recovery: 'none', ratio: 0.8 } }])).to.equal(key());
  });

  it('stays what it was: old journals must be found again', () => {
    expect(key()).to.equal('c8c0968714effded');
  });

  it('names every parameter of every step', () => {
    const steps = [
      { method: 'a', params: { x: 1, list: [1, 2] } },
      { method: 'a', params: { x: 2 } },
    ];
    expect(
      cellInfo({ ...group, taskParams: { depth: 0.5 } }, { label: 'a+a', steps }, 'bfloat16', digests).params,
    ).to.deep.equal({ 'task.depth': 0.5, 'a.x': 1, 'a.list': '[1,2]', 'a#2.x': 2 });
    const cut = cellInfo({ ...group, maxContext: 1000 }, { label: 'full', steps: [] }, 'bfloat16', digests);
    expect(cut.params).to.deep.equal({ max_context: 1000 });
  });
});

describe('results/canonical-json', () => {
  const shuffled = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(shuffled)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([k, v]) => [k, shuffled(v)]),
          )
        : value;

  it('does not depend on the order of keys, and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).to.equal(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('tells lists of another order apart', () => {
    expect(digestOf([1, 2])).to.not.equal(digestOf([2, 1]));
  });
});
