/** The main job on the embedded model: run, run again, kill and go on. */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Manifest, SampleRecord } from '../../src/results/types.js';
import { sparkEval, startHeld, temporaryFolder, writeSpec } from './support.js';

const SPEC = `
name: e2e
model: spark-nano
tasks: [ruler/niah_single_1]
context: 384
samples: 3
seed: 5
cache:
  - streaming_llm: { budget: 64 }
  - [{ snapkv: { budget: 96, window: 16 } }, { spark: { ratio: 0.8 } }]
  - think: { ratio: 0.5 }
`;

describe('spark-eval run', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  const out = (name: string): string => join(folder, 'out', name);
  const journal = (): SampleRecord[] =>
    readFileSync(out('journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as SampleRecord);
  const run = (...args: string[]): ReturnType<typeof sparkEval> =>
    sparkEval(['run', spec, '--engine', 'wasm', ...args]);

  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('prints its plan and a table, and leaves the four files', () => {
    const { status, stdout, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(stdout).to.match(/snapkv\(budget=96,window=16\)\+spark\(ratio=0\.8\)/);
    expect(stderr + stdout).to.match(/12 of 12 results to do/);
    expect(stderr).to.not.match(/TensorFlow|oneDNN|============/);
    for (const name of ['journal.jsonl', 'accuracy.csv', 'memory.csv', 'manifest.json']) {
      expect(existsSync(out(name)), name).to.equal(true);
    }
    expect(journal()).to.have.length(12);
    const manifest = JSON.parse(readFileSync(out('manifest.json'), 'utf8')) as Manifest;
    expect(manifest.engine.name).to.equal('wasm');
    expect(manifest.finishedAt).to.be.a('string');
  });

  it('counts the bytes of packed caches', () => {
    const full = journal().filter(
      ({ keptTokens, promptTokens, storedBytes }) => keptTokens === promptTokens && storedBytes.mask === 0,
    );
    for (const { fullBytes, storedBytes } of full) expect(storedBytes.value).to.equal(fullBytes);
    expect(full.length).to.equal(3);
    const spark = journal().filter(({ storedBytes }) => storedBytes.sign > 0);
    expect(spark.length).to.equal(3);
    for (const { keptTokens } of spark) expect(keptTokens).to.equal(96);
  });

  it('says at once that a finished run is finished', () => {
    const { status, stdout, stderr } = run();
    expect(status).to.equal(0);
    expect(stdout + stderr).to.match(/finished|complete|nothing to do/i);
    expect(journal()).to.have.length(12);
  });

  it('goes on after a kill, a torn line included, and gives the same accuracy.csv', async () => {
    const whole = readFileSync(out('accuracy.csv'), 'utf8');
    rmSync(join(folder, 'out'), { recursive: true });
    const args = ['run', spec, '--engine', 'wasm', '--progress', 'none'];
    const started = await startHeld(args, out('journal.jsonl'));
    started.child.kill('SIGKILL');
    await started.exited;
    const lines = readFileSync(out('journal.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.length).to.be.within(1, 11);
    writeFileSync(out('journal.jsonl'), `${lines.slice(0, 3).join('\n')}\n`);
    appendFileSync(out('journal.jsonl'), '{"format":1,"cell":"torn');
    expect(sparkEval(['status', spec]).status).to.equal(3);
    const { status, stderr } = run();
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/torn last line/);
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(whole);
    expect(journal()).to.have.length(12);
    expect(sparkEval(['status', spec]).status).to.equal(0);
  });

  it('refuses the folder to another spec, and says what differs', () => {
    const other = writeSpec(folder, SPEC.replace('seed: 5', 'seed: 6'));
    const { status, stderr } = sparkEval(['run', other, '--engine', 'wasm']);
    expect(status).to.not.equal(0);
    expect(stderr).to.match(/another spec[\s\S]*seed[\s\S]*--fresh/);
    writeSpec(folder, SPEC);
  });
});
