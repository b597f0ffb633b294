/** One spec with every method and a long answer: killed, gone on with, run again, and made anew. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { SampleRecord } from '../../src/results/types.js';
import { everyMethod, type Params } from '../methods/every-method.js';
import { sparkEval, startHeld, temporaryFolder, writeSpec } from './support.js';

const SAMPLES = 2;
/** A calibration that takes seconds. */
const SMALL: Readonly<Record<string, Params>> = {
  recalkv: { ratio: 0.5, ranks: 'uniform', multiple: 8, samples: 2, length: 64 },
};
const METHODS = everyMethod.map(({ method, samples }) => ({ [method]: SMALL[method] ?? samples[0]! }));
/** `full` as well. */
const PIPELINES = METHODS.length + 1;
const SPEC = `
name: every-method
model: spark-nano
tasks: [{ task: recite/list, lines: 4 }]
context: 512
samples: ${SAMPLES}
cache: ${JSON.stringify(METHODS)}
`;

describe('every method in one spec', function () {
  this.timeout(600_000);
  let folder: string;
  let spec: string;
  const inCache = () => ({ SPARK_EVAL_CACHE: join(folder, 'cache') });
  const run = (...args: string[]) => sparkEval(['run', spec, '--engine', 'wasm', ...args], inCache());
  const read = (out: string, name: string): string => readFileSync(join(folder, out, name), 'utf8');
  const lines = (out: string, name: string): string[] => read(out, name).trimEnd().split('\n');
  /** What a record says beside times and memory of the process, in the order of cells and samples. */
  const answers = (out: string): string[] =>
    lines(out, 'journal.jsonl')
      .map((line) => JSON.parse(line) as SampleRecord)
      .map(({ cell, sample, prediction, score, keptTokens, storedBytes, paperBytes }) =>
        JSON.stringify([cell, sample, prediction, score, keptTokens, storedBytes, paperBytes]),
      )
      .sort();

  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('goes on where it was killed', async () => {
    const journal = join(folder, 'out', 'journal.jsonl');
    const started = await startHeld(['run', spec, '--engine', 'wasm'], journal, inCache());
    started.child.kill('SIGKILL');
    await started.exited;
    expect(lines('out', 'journal.jsonl').length).to.be.within(1, SAMPLES * PIPELINES - 1);
    expect(existsSync(join(folder, 'out', 'accuracy.csv'))).to.equal(false);

    const { status, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.contain('is calibrated for recalkv');
    expect(lines('out', 'journal.jsonl')).to.have.length(SAMPLES * PIPELINES);
  });

  it('has one row for every method in both tables', () => {
    for (const table of ['accuracy.csv', 'memory.csv']) {
      const [, ...rows] = lines('out', table);
      const named = rows.map((row) => /^spark-nano,recite\/list,512,"?(\w+)/.exec(row)?.[1]);
      expect(named, table).to.deep.equal(['full', ...everyMethod.map(({ method }) => method)]);
    }
  });

  it('computes nothing when it is run again', () => {
    const journal = read('out', 'journal.jsonl');
    const { status, stdout, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.contain('every-method is finished').and.to.not.contain('calibrat');
    expect(stdout).to.contain('recalkv(');
    expect(read('out', 'journal.jsonl')).to.equal(journal);
  });

  it('gives the same bytes when it is made anew without a break, on the kept weights', () => {
    const { status, stderr } = run('--set', `output=${join(folder, 'whole')}`);
    expect(status, stderr).to.equal(0);
    expect(stderr).to.not.contain('is calibrated for');
    expect(read('whole', 'accuracy.csv')).to.equal(read('out', 'accuracy.csv'));
    expect(answers('whole')).to.deep.equal(answers('out'));
  });
});
