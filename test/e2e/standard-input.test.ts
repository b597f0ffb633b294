/** A spec from standard input, as other programs write one: it runs, and goes on with the same spec. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROGRAM, temporaryFolder } from './support.js';

const SPEC = `
name: piped
model: spark-nano
tasks: [ruler/niah_single_1]
context: 384
samples: 1
cache: [streaming_llm(ratio=0.5)]
`;

describe('spark-eval run -', function () {
  this.timeout(60_000);

  it('reads the spec once, with worker processes too, and again to say that it is finished', () => {
    const folder = temporaryFolder();
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [PROGRAM, ...args, '--output', 'out'], {
        encoding: 'utf8',
        cwd: folder,
        input: SPEC,
        env: { ...process.env, NO_COLOR: '1' },
      });
    const args = ['run', '-', '--engine', 'wasm', '--samples', '2', '--workers', '2', '--progress', 'none'];
    const first = run(...args);
    expect(first.status, first.stderr).to.equal(0);
    expect(first.stdout).to.contain('streaming_llm(ratio=0.5)');
    expect(existsSync(join(folder, 'out', 'accuracy.csv'))).to.equal(true);
    expect(run(...args).stderr).to.contain('piped is finished');
    const wrong = spawnSync(process.execPath, [PROGRAM, 'plan', '-'], { encoding: 'utf8', input: 'name: 3' });
    expect(wrong.status).to.equal(2);
    expect(wrong.stderr).to.match(/^standard input:1:7 +name: expected/m);
    rmSync(folder, { recursive: true, force: true });
  });
});
