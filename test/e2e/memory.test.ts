/** A run that does not fit into its memory says so before it starts; one that fits by turns gives the same answers. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { sparkEval, temporaryFolder, writeSpec } from './support.js';

const SPEC = `name: memory
model: spark-nano
tasks: [ruler/niah_single_1]
context: 1024
samples: 1
cache:
  - streaming_llm: { ratio: [0.2, 0.3, 0.4, 0.5] }
  - think: { ratio: [0.4, 0.6] }
`;

describe('spark-eval run --memory', function () {
  this.timeout(120_000);
  let folder: string;
  let spec: string;
  const out = (name = ''): string => join(folder, 'out', name);
  const run = (...args: string[]): ReturnType<typeof sparkEval> =>
    sparkEval(['run', spec, '--engine', 'wasm', '--progress', 'none', ...args]);
  before(() => {
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('refuses what cannot fit, says what would, and makes no folder', () => {
    const { status, stderr } = run('--memory', '215MB');
    expect(status, stderr).to.equal(2);
    expect(stderr).to.match(
      /memory {2}spark-nano on engine wasm, prompts of 1024 tokens: needs about \d+ MB of memory \(program .*, weights .*, prefill .*, cache of one row .*\), and there are 215 MB\n {2}What would fit: context: \d+\./,
    );
    const two = run('--memory', '400MB', '--workers', '2');
    expect(two.status).to.equal(2);
    expect(two.stderr).to.match(/--workers {2}.*\(2 workers with each .*\n {2}What would fit: --workers 1/s);
    expect(existsSync(out())).to.equal(false);
  });

  it('wants a number with a unit', () => {
    for (const memory of ['8', 'lots', '-1GB', '8gb']) {
      const { status, stderr } = run('--memory', memory);
      expect(status).to.equal(2);
      expect(stderr).to.match(/--memory.*Expected a number with a unit/);
    }
  });

  it('takes rows in turns where they do not fit together, with the same answers', () => {
    const free = run();
    expect(free.status, free.stderr).to.equal(0);
    const accuracy = readFileSync(out('accuracy.csv'), 'utf8');
    const tight = run('--fresh', '--memory', '260MB');
    expect(tight.status, tight.stderr).to.equal(0);
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(accuracy);
  });
});
