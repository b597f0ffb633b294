/** A run that grows and shrinks in its folder, and shards of it: only what is missing is computed. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { read } from 'vega';
import type { Manifest } from '../../src/results/types.js';
import { type Outcome, sparkEval, startHeld, temporaryFolder, whileRunning, writeSpec } from './support.js';

const SPEC = `
name: grow
model: spark-nano
tasks: [ruler/niah_single_1]
context: 448
samples: 2
cache:
  - think: { ratio: 0.5 }
  - streaming_llm: { budget: 64 }
`;
/** One more of each; a pipeline less. */
const GROWN = SPEC.replace('samples: 2', 'samples: 3')
  .replace('[ruler/niah_single_1]', '[ruler/niah_single_1, ruler/niah_multikey_1]')
  .replace('context: 448', 'context: [448, 464]')
  .replace('streaming_llm: { budget: 64 }', 'spark: { ratio: 0.5 }');

/** Columns of results.csv that hold words, beside digests and parameters. */
const TEXTS = new Set(['cell', 'model', 'task', 'question', 'pipeline', 'engine', 'version']);

describe('spark-eval run, of a spec that has grown', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  const out = (name: string): string => join(folder, 'out', name);
  const lines = (...path: string[]): string[] =>
    readFileSync(join(folder, ...path), 'utf8')
      .trim()
      .split('\n');
  const run = (...args: string[]): Outcome =>
    sparkEval(['run', spec, '--engine', 'wasm', '--progress', 'none', ...args]);
  const manifest = (): Manifest => JSON.parse(readFileSync(out('manifest.json'), 'utf8')) as Manifest;

  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
    const { status, stderr } = run();
    expect(status, stderr).to.equal(0);
    writeSpec(folder, GROWN);
    const whole = run('--set', `output=${join(folder, 'whole')}`);
    expect(whole.status, whole.stderr).to.equal(0);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('plans what is reused and what is left out', () => {
    const { status, stdout, stderr } = sparkEval(['plan', spec]);
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('36 results, 4 reused, 32 to do');
    expect(stdout).to.match(/^ {2}full +2\/12 reused\n {2}think\(ratio=0\.5\) +2\/12 reused$/m);
    expect(stdout).to.match(/2 results of the folder are not asked for by this spec: kept in the journal/);
    expect(stdout).to.match(/^ {2}2 of streaming_llm\(budget=64\) on ruler\/niah_single_1, spark-nano/m);
    const plan = JSON.parse(sparkEval(['plan', spec, '--json']).stdout) as {
      reused: number;
      leftOut: { results: number; cells: { pipeline: string; results: number }[] };
      cells: { reused: number }[];
    };
    expect(plan).to.include({ reused: 4 });
    expect(plan.cells.map(({ reused }) => reused)).to.deep.equal([2, 2, ...Array<number>(10).fill(0)]);
    expect(plan.leftOut.cells.map(({ pipeline, results }) => [pipeline, results])).to.deep.equal([
      ['streaming_llm(budget=64)', 2],
    ]);
  });

  it('computes what is missing, goes on after a kill, and gives the tables of one run', async () => {
    const args = ['run', spec, '--engine', 'wasm', '--progress', 'none'];
    const started = await startHeld(args, out('journal.jsonl'));
    await whileRunning(started, () => lines('out', 'journal.jsonl').length > 6);
    started.child.kill('SIGKILL');
    await started.exited;
    expect(sparkEval(['status', spec]).status).to.equal(3);
    const { status, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(lines('out', 'accuracy.csv')).to.deep.equal(lines('whole', 'accuracy.csv'));
    expect(lines('out', 'journal.jsonl')).to.have.length(38);
    const table = read(lines('out', 'results.csv').join('\n'), {
      type: 'csv',
      parse: null as never,
    }) as Record<string, string>[];
    expect(table).to.have.length(12);
    for (const row of table) {
      for (const [name, value] of Object.entries(row)) {
        const isText = TEXTS.has(name) || name.endsWith('_digest') || name.includes('.');
        if (!isText)
          expect(value === '' || Number.isFinite(Number(value)), `${name}: ${value}`).to.equal(true);
      }
      expect(row).to.include({ samples: '3', engine: 'wasm' });
      expect(row['data_digest']).to.match(/^[0-9a-f]{64}$/);
    }
    const accuracy = read(lines('out', 'accuracy.csv').join('\n'), { type: 'csv', parse: null as never });
    expect(table.map((row) => row['lost']).filter(Boolean)).to.deep.equal(
      (accuracy as Record<string, string>[])
        .filter(({ pipeline }) => pipeline !== 'full')
        .map(({ delta }) => String(0 - Number(delta))),
    );
    const { original, extensions, leftOut, specHash } = manifest();
    expect(original!.specHash).to.not.equal(specHash);
    expect(extensions!.map((one) => one.specHash)).to.deep.equal([specHash]);
    expect(leftOut!.map(({ pipeline }) => pipeline)).to.deep.equal(['streaming_llm(budget=64)']);
    expect(sparkEval(['status', spec]).status).to.equal(0);
    const tables = sparkEval(['tables', join(folder, 'out')]);
    expect(tables.status, tables.stderr).to.equal(0);
    expect(tables.stdout).to.contain('spark(').and.to.not.contain('streaming_llm');
  });

  it('shrinks again without computing anything, and keeps the rest', () => {
    writeSpec(folder, SPEC);
    const { status, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.contain('0 of 6 results to do').and.to.contain('32 results of the folder are not');
    expect(lines('out', 'journal.jsonl')).to.have.length(38);
    expect(lines('out', 'accuracy.csv')).to.have.length(4);
    expect(manifest().extensions).to.have.length(2);
    expect(run().stderr).to.contain('grow is finished');
  });

  it('merges the shards of a grown spec with those of the smaller one', () => {
    const set = (name: string): string[] => ['--set', `output=${join(folder, name)}`];
    const shard = (index: number): string => join(folder, 'cut', 'shards', `${index}-of-2`);
    for (const index of [1, 2]) expect(run('--shard', `${index}/2`, ...set('cut')).status).to.equal(0);
    writeSpec(folder, GROWN);
    expect(run('--shard', '1/2', ...set('cut')).status).to.equal(0);
    const some = sparkEval(['merge', shard(1), shard(2)]);
    expect(some.status, some.stderr).to.equal(3);
    expect(some.stderr).to.match(/results of shard 2\/2/);
    expect(run('--shard', '2/2', ...set('cut')).status).to.equal(0);
    const all = sparkEval(['merge', shard(1), shard(2)]);
    expect(all.status, all.stderr).to.equal(0);
    expect(lines('cut', 'accuracy.csv')).to.deep.equal(lines('whole', 'accuracy.csv'));
    expect(run(...set('cut')).stderr).to.contain('grow is finished');
  });
});
