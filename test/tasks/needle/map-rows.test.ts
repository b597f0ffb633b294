/** A spec that sweeps the depth has a row of accuracy.csv for every depth, length and pipeline: a map's data. */
import { expect } from 'chai';
import { methods } from '../../../src/methods/built-in.js';
import { accuracyCsv } from '../../../src/results/accuracy.js';
import { cellInfo } from '../../../src/results/cell-key.js';
import { collectResults } from '../../../src/results/cell-results.js';
import { SpecDocument } from '../../../src/experiment/document.js';
import { resolveSpec } from '../../../src/experiment/load.js';
import { needleTasks } from '../../../src/tasks/needle/list.js';
import type { Task } from '../../../src/tasks/types.js';

const SPEC = `
name: map
model: spark-nano
tasks: [{ task: needle/map, depth: [0, 12.5, 100] }]
context: [512, 1024]
cache: [full, { knorm: { budget: 64 } }]
`;

describe('a needle map', () => {
  const tasks = new Map((needleTasks as readonly Task[]).map((task) => [task.name, task]));
  const catalogue = { methods, tasks, models: ['spark-nano'] };
  const { groups, pipelines } = resolveSpec(SpecDocument.parse(SPEC, 'map.yaml'), { catalogue });
  const digests = {
    weightsDigest: 'w',
    tokenizerDigest: 't',
    configDigest: 'c',
    dataDigest: 'd',
    protocol: 1,
  };
  const cells = groups.flatMap((group) =>
    pipelines.map((pipeline) => cellInfo(group, pipeline, 'bfloat16', digests)),
  );

  it('has a cell of its own for every depth, length and pipeline', () => {
    expect(cells).to.have.length(3 * 2 * 2);
    expect(new Set(cells.map(({ key }) => key))).to.have.property('size', cells.length);
  });

  it('has them as rows of accuracy.csv, the depth in a column', () => {
    const [header, ...rows] = accuracyCsv(collectResults(cells, []))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','));
    const column = (name: string) => rows.map((row) => row[header!.indexOf(name)]);
    expect(header).to.include('task.depth');
    const points = column('task.depth').map((depth, i) =>
      [depth, column('context')[i], column('pipeline')[i]].join(' '),
    );
    expect(points).to.have.members(
      ['0', '12.5', '100'].flatMap((depth) =>
        ['512', '1024'].flatMap((length) =>
          ['full', 'knorm(budget=64)'].map((pipeline) => `${depth} ${length} ${pipeline}`),
        ),
      ),
    );
  });
});
