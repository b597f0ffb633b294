/** Shards on their own, and merged: the bytes of one run. */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Manifest, SampleRecord } from '../../src/results/types.js';
import { sparkEval, startHeld, temporaryFolder, writeSpec } from './support.js';

const SPEC = `
name: shards
model: spark-nano
tasks: [ruler/niah_single_1]
context: [352, 384]
samples: 2
cache: [{ think: { ratio: 0.5 } }]
`;

describe('spark-eval run --shard, merge', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  const out = (...names: string[]): string => join(folder, 'out', ...names);
  const shard = (index: number): string => out('shards', `${index}-of-3`);
  const run = (...args: string[]): ReturnType<typeof sparkEval> =>
    sparkEval(['run', spec, '--engine', 'wasm', ...args]);
  const merge = (...folders: string[]): ReturnType<typeof sparkEval> => sparkEval(['merge', ...folders]);

  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
    const one = run('--set', `output=${join(folder, 'one')}`);
    expect(one.status, one.stderr).to.equal(0);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps the samples of a shard in a folder of its own, and goes on with them', async () => {
    const args = ['run', spec, '--engine', 'wasm', '--shard', '1/3', '--progress', 'none'];
    const started = await startHeld(args, join(shard(1), 'journal.jsonl'));
    started.child.kill('SIGKILL');
    await started.exited;
    for (const index of [1, 2]) {
      const { status, stdout, stderr } = run('--shard', `${index}/3`);
      expect(status, stderr).to.equal(0);
      expect(stdout).to.equal('');
      expect(stderr).to.contain(`spark-eval merge ${out('shards')}/*-of-3`);
    }
    expect(readdirSync(shard(1)).sort()).to.deep.equal(['journal.jsonl', 'manifest.json']);
    const manifest = JSON.parse(readFileSync(join(shard(1), 'manifest.json'), 'utf8')) as Manifest;
    expect(manifest.shard).to.deep.equal({ index: 1, count: 3 });
    const records = readFileSync(join(shard(1), 'journal.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const samples = records.map((line) => (JSON.parse(line) as SampleRecord).sample);
    expect(samples.sort()).to.deep.equal([0, 0, 1, 1]);
    expect(run('--shard', '1/3').stderr).to.match(/shard 1\/3 is finished/);
    expect(sparkEval(['status', spec, '--shard', '1/3'])).to.include({ status: 0 });
    expect(sparkEval(['status', spec, '--shard', '3/3'])).to.include({ status: 3 });
    expect(run('--dry-run', '--shard', '3/3').stdout).to.contain('2 results, 0 reused, 2 to do');
  });

  it('says what is missing of the shards that there are', () => {
    const { status, stdout, stderr } = merge(shard(2), shard(1));
    expect(status).to.equal(3);
    expect(stdout).to.equal('');
    expect(stderr).to.contain('6 of 8 results are in').and.to.contain('2 results of shard 3/3');
    expect(existsSync(out('accuracy.csv'))).to.equal(false);
    expect(readFileSync(out('journal.jsonl'), 'utf8').trim().split('\n')).to.have.length(6);
  });

  it('merges them to the bytes of one run, which then is finished', () => {
    expect(run('--shard', '3/3').status).to.equal(0);
    const before = [1, 2, 3].map((index) => readFileSync(join(shard(index), 'journal.jsonl'), 'utf8'));
    const { status, stdout, stderr } = merge(shard(1), shard(2), shard(3));
    expect(status, stderr).to.equal(0);
    expect(stdout).to.contain('think(ratio=0.5)');
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(
      readFileSync(join(folder, 'one', 'accuracy.csv'), 'utf8'),
    );
    expect([1, 2, 3].map((index) => readFileSync(join(shard(index), 'journal.jsonl'), 'utf8'))).to.deep.equal(
      before,
    );
    expect(run().stderr).to.contain('shards is finished: all 4 cells');
    expect(readdirSync(out()).sort()).to.deep.equal([
      ...['accuracy.csv', 'journal.jsonl', 'manifest.json', 'memory.csv', 'results.csv', 'shards'],
    ]);
  });

  it('calls a shard of no samples done', () => {
    for (const words of ['0 of 0 results to do', 'shard 7/7 is finished']) {
      const { status, stderr } = run('--shard', '7/7');
      expect(status, stderr).to.equal(0);
      expect(stderr).to.contain(words);
    }
  });
});
