import { builtIn } from '../../src/registry/registry.js';
import { expect } from 'chai';
import { methods } from '../../src/methods/built-in.js';
import type { Pipeline } from '../../src/methods/types.js';
import type { ModelConfig } from '../../src/checkpoint/types.js';
import { dataOf, groupCells } from '../../src/experiment/cells.js';
import { TaskOpener } from '../../src/experiment/task-opener.js';
import type { ResolvedSpec } from '../../src/experiment/types.js';
import type { Task } from '../../src/tasks/types.js';
import { failureOf } from '../tasks/loader-support.js';

describe('cells of a run', () => {
  const FULL: Pipeline = { label: 'full', steps: [] };
  const cells = (
    context: number,
    maxContext?: number,
    ignores?: Task['ignores'],
    pipelines: readonly Pipeline[] = [FULL],
  ) => {
    const group = {
      ...{
        model: 'm',
        task: 'a/b',
        taskParams: {},
        context,
        seed: 1,
        samples: 1,
        question: 'compressed' as const,
      },
      ...(maxContext === undefined ? {} : { maxContext }),
    };
    const task = { name: 'a/b', open: () => ({ digest: 'd' }), ignores } as unknown as Task;
    const tasks = new Map([['a/b', task]]);
    const spec = {
      ...{ file: 'spec.yaml', folder: '/', name: 'x', output: '/x', cacheDtype: 'bfloat16', canonical: {} },
      pipelines,
      groups: [group],
      registry: { ...builtIn, tasks },
    } as ResolvedSpec;
    const record = { name: 'm', weightsDigest: 'w', tokenizerDigest: 't', configDigest: 'c', files: [] };
    const models = new Map([
      [
        'm',
        {
          config: {
            maxPositions: 8192,
            layers: 6,
            windows: [] as readonly undefined[],
          } as unknown as ModelConfig,
          record,
        },
      ],
    ]);
    return groupCells(spec, models, new TaskOpener(tasks, '/'));
  };

  it('may cut contexts below the positions of a model, which makes other cells', async () => {
    const [whole, cut] = [await cells(8192), await cells(8192, 7950)].map(
      (groups) => groups[0]!.cells[0]!.key,
    );
    expect(cut).to.not.equal(whole);
  });

  it('whose rows have lengths of their own do not care', async () => {
    expect(await cells(8193, undefined, ['context', 'seed'])).to.have.length(1);
    await failureOf(cells(8193, undefined, ['seed']));
  });

  it('are refused where a context is longer than the positions of a model', async () => {
    expect((await failureOf(cells(8193))).message).to.include(
      'context 8193 is longer than the 8192 positions of m',
    );
    expect((await failureOf(cells(1024, 8193))).message).to.include(
      'max_context 8193 is more than the 8192 positions of m',
    );
  });

  it('are refused where a pipeline names a layer that a model does not have', async () => {
    for (const [method, params] of [
      ['knorm', { ratio: 0.5 }],
      ['dbudgetkv', {}],
      ['adakv', { base: 'knorm', ratio: 0.5 }],
    ] as const) {
      const naming = (layers: readonly number[]) => {
        const own = { whole_layers: layers };
        const written = { ...params, ...(method === 'adakv' ? { with: own } : own) };
        const filled = methods.get(method)!.params.parse(written) as Record<string, unknown>;
        return [FULL, { label: method, steps: [{ method, params: filled }] }];
      };
      expect(await cells(512, undefined, [], naming([0, 5]))).to.have.length(1);
      expect((await failureOf(cells(512, undefined, [], naming([0, 6])))).message).to.include(
        `${method} names layer 6, and m has 6, counted from 0 to 5`,
      );
    }
  });

  it('list the data of each file once', () => {
    const groups = ['a', 'b', 'a'].map((file) => ({ group: { task: 'a/b' }, task: { digest: `d-${file}` } }));
    expect(dataOf(groups)).to.deep.equal([
      { task: 'a/b', digest: 'd-a' },
      { task: 'a/b', digest: 'd-b' },
    ]);
  });
});
