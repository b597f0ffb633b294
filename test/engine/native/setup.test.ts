/** Setting an engine up, as far as that needs no download: tools, child processes, what interruptions leave. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkPackage } from '../../../src/engine/check.js';
import { nativeFolder } from '../../../src/engine/native/folder.js';
import { hasNvidiaDriver } from '../../../src/engine/native/nvidia.js';
import { runCommand } from '../../../src/base/run-command.js';
import { setupNative } from '../../../src/engine/native/setup.js';
import { UserError } from '../../../src/base/errors.js';

const failure = (work: Promise<unknown>): Promise<UserError> =>
  work.then(
    () => {
      throw new Error('expected a failure');
    },
    (error: unknown) => {
      expect(error).to.be.instanceOf(UserError);
      return error as UserError;
    },
  );

describe('setting up an engine', () => {
  const { SPARK_EVAL_CACHE: cache, PATH: path } = process.env;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-'));
    process.env['SPARK_EVAL_CACHE'] = folder;
  });
  afterEach(() => {
    if (cache === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = cache;
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  it('names the tools that are missing and how to get them', async function () {
    if (process.platform !== 'linux') this.skip();
    process.env['PATH'] = folder;
    const error = await failure(setupNative({ gpu: false, log: () => undefined }));
    expect(error.message).to.match(/npm, python3, pip \(.*\), \S+, make$/);
    expect(error.hint).to.contain('apt-get install');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('leaves nothing where a step fails, and removes what an interrupted setup left', async function () {
    if (process.platform !== 'linux') this.skip();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const tool of ['npm', 'python3', process.env['CXX'] ?? 'g++', 'make']) {
      const script = `#!/bin/sh\n[ "$1" = install ] && echo 'no network' && exit 7\nexit 0\n`;
      writeFileSync(join(bin, tool), script, { mode: 0o755 });
    }
    process.env['PATH'] = bin;
    const abandoned = `${nativeFolder('native')}.staging-999999999-abc`;
    mkdirSync(abandoned);
    const lines: string[] = [];
    const error = await failure(setupNative({ gpu: false, log: (line) => lines.push(line) }));
    expect(error.message).to.match(/npm failed \(exit code 7\)[\s\S]*no network/);
    expect(lines).to.have.length(1);
    expect(existsSync(abandoned)).to.equal(false);
    expect(readdirSync(folder)).to.deep.equal(['bin']);
  });

  it('downloads nothing for a GPU where no driver is loaded, and says that GPUs were not tried', async function () {
    if (hasNvidiaDriver()) this.skip();
    const lines: string[] = [];
    const error = await failure(setupNative({ gpu: true, log: (line) => lines.push(line) }));
    expect(error.message).to.contain('NVIDIA driver');
    expect(lines.join()).to.contain('not been run by us');
  });

  it('finds out that a package computes wrong numbers', async () => {
    const fake = join(folder, 'wrong.cjs');
    writeFileSync(fake, 'exports.tensor2d = (x) => x; exports.matMul = (a) => ({ dataSync: () => a });');
    expect((await failure(checkPackage(fake))).message).to.contain('wrong matmul at 0,0');
  });

  it('explains a program that cannot be started or fails', async () => {
    expect((await failure(runCommand('no-such-program', []))).message).to.contain('ENOENT');
    const args = ['--eval', 'console.error("reason"); process.exit(3)'];
    const error = await failure(runCommand(process.execPath, args, { hint: 'try this' }));
    expect(error.message).to.match(/exit code 3[\s\S]*reason/);
    expect(error.hint).to.equal('try this');
    expect(await runCommand(process.execPath, ['--print', '1 + 1'])).to.equal('2\n');
  });
});
