/** Several workers: the same results, one journal, and nothing left running. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { processors } from '../../src/base/processors.js';
import { nativeAbsence } from '../../src/engine/native/open.js';
import { sparkEval, startHeld, temporaryFolder, writeSpec } from './support.js';

const SPEC = `
name: workers
model: spark-nano
tasks: [ruler/niah_single_1]
context: [352, 384]
samples: 2
cache:
  - think: { ratio: 0.5 }
  - [{ snapkv: { budget: 96, window: 16 } }, { spark: { ratio: 0.8 } }]
`;

describe('spark-eval run --workers', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  const out = (name: string): string => join(folder, 'out', name);
  const run = (...args: string[]): ReturnType<typeof sparkEval> =>
    sparkEval(['run', spec, '--engine', 'wasm', ...args]);
  /** memory.csv without what differs from run to run. */
  const memory = (): string[] =>
    readFileSync(out('memory.csv'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(',').slice(0, -4).join(','));
  /** Of every sample, sorted. */
  const answers = (): string[] =>
    readFileSync(out('journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .map(({ cell, sample, prediction }) => JSON.stringify({ cell, sample, prediction }))
      .sort();

  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives the same tables, however many', () => {
    expect(run().status).to.equal(0);
    const [accuracy, bytes] = [readFileSync(out('accuracy.csv'), 'utf8'), memory()];
    const { status, stderr } = run('--fresh', '--workers', '3');
    expect(status, stderr).to.equal(0);
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(accuracy);
    expect(memory()).to.deep.equal(bytes);
    expect(stderr).to.not.match(/TensorFlow|============/);
  });

  it('on native too, with another number of threads in each', function () {
    if (nativeAbsence('native') !== undefined) this.skip();
    const native = (...args: string[]): string[] => {
      const { status, stderr } = sparkEval(['run', spec, '--engine', 'native', '--fresh', ...args]);
      expect(status, stderr).to.equal(0);
      return [readFileSync(out('accuracy.csv'), 'utf8'), ...memory(), ...answers()];
    };
    const alone = native();
    expect(alone.length).to.be.above(12);
    expect(native('--workers', '2')).to.deep.equal(alone);
    expect(JSON.parse(readFileSync(out('manifest.json'), 'utf8')))
      .to.have.property('engine')
      .that.deep.includes({ threads: Math.max(1, Math.floor(processors() / 2)) });
    expect(native('--threads', '3')).to.deep.equal(alone);
    rmSync(out(''), { recursive: true });
    run();
  });

  it('gives the same numbers with every number of threads', () => {
    const accuracy = readFileSync(out('accuracy.csv'), 'utf8');
    const [bytes, texts] = [memory(), answers()];
    for (const threads of ['1', '4']) {
      const { status, stderr } = run('--fresh', '--threads', threads);
      expect(status, stderr).to.equal(0);
      expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(accuracy);
      expect([memory(), answers()]).to.deep.equal([bytes, texts]);
      expect(JSON.parse(readFileSync(out('manifest.json'), 'utf8')))
        .to.have.property('engine')
        .that.deep.includes({ threads: Number(threads) });
    }
  });

  it('goes on with other workers after a kill', async () => {
    const accuracy = readFileSync(out('accuracy.csv'), 'utf8');
    rmSync(out(''), { recursive: true });
    const args = ['run', spec, '--engine', 'wasm', '--workers', '2'];
    const started = await startHeld(args, out('journal.jsonl'));
    started.child.kill('SIGKILL');
    await started.exited;
    expect(existsSync(out('accuracy.csv'))).to.equal(false);
    expect(run('--workers', '2').status).to.equal(0);
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(accuracy);
  });

  it('stops on an interrupt and keeps what is finished', async () => {
    rmSync(out(''), { recursive: true });
    const args = ['run', spec, '--engine', 'wasm', '--workers', '2'];
    const started = await startHeld(args, out('journal.jsonl'));
    started.child.kill('SIGINT');
    started.go();
    expect(await started.exited).to.equal(130);
    expect(readFileSync(out('journal.jsonl'), 'utf8')).to.match(/^\{.*\}\n$/s);
  });

  it('names the task and the file where a worker fails, and refuses numbers that make no sense', () => {
    for (const workers of ['0', 'two', '1.5']) {
      const { status, stderr } = run('--workers', workers);
      expect(status).to.equal(2);
      expect(stderr).to.match(/--workers.*whole number/);
    }
    const failing = writeSpec(
      folder,
      SPEC.replace('name: workers', 'name: failing').replace('ratio: 0.5', 'ratio: 0.001'),
    );
    const { status, stderr } = sparkEval(['run', failing, '--engine', 'wasm', '--fresh', '--workers', '2']);
    expect(status).to.equal(1);
    expect(stderr).to.match(/384 #0, think\(ratio=0\.001\), layer 0.*prunes none/);
    expect(stderr).to.match(
      /what cannot be applied has no results; all else is done:\n {2}\d+ of \d+ samples: think/,
    );
    const kept = readFileSync(out('journal.jsonl'), 'utf8').trimEnd().split('\n');
    expect(kept.length).to.be.above(1);
  });
});
