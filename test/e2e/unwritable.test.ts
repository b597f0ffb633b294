/** Where nothing can be written: one clear error, nothing torn, and no run that ends over what it only notes. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { resultFolder } from '../report/golden-files.js';
import { PROGRAM, temporaryFolder, writeSpec, type Outcome } from './support.js';

const FULL = '/dev/full';
const SPEC =
  'name: x\nmodel: spark-nano\ntasks: [ruler/niah_single_1]\ncontext: 512\nsamples: 1\ncache: [full]\n';
/** A program that does not end by itself must not keep the tests. */
const HANGING = { timeout: 120_000, killSignal: 'SIGKILL' } as const;

describe('what cannot be written', function () {
  this.timeout(150_000);
  let folder: string;
  let results: string;
  beforeEach(() => {
    folder = temporaryFolder();
    results = join(folder, 'results');
    cpSync(resultFolder('sweep'), results, { recursive: true });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  describe('a full disk behind standard output or standard error', () => {
    before(function () {
      if (!existsSync(FULL)) this.skip();
    });
    const withFull = (stream: 'stdout' | 'stderr', args: readonly string[]): Outcome => {
      const full = openSync(FULL, 'w');
      const pipes = stream === 'stdout' ? [full, 'pipe'] : ['pipe', full];
      const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', ...pipes] as ['ignore', 'pipe', 'pipe'],
      });
      closeSync(full);
      return { status, stdout, stderr };
    };
    const run = (): string[] => ['run', writeSpec(folder, SPEC), '--engine', 'wasm', '--progress', 'none'];

    it('is one error where the answer goes there', () => {
      for (const args of [['tables', results], ['plan', writeSpec(folder, SPEC), '--json'], run()]) {
        const { status, stderr } = withFull('stdout', args);
        expect(stderr.split('\n').slice(-3), args[0]).to.deep.equal([
          'standard output  cannot write the answer: the disk is full',
          '  Free some space and run the same command again; what is finished is kept.',
          '',
        ]);
        expect(status, args[0]).to.equal(1);
      }
    });

    it('does not stop a run that notes its progress there', () => {
      const { status, stdout } = withFull('stderr', run());
      expect(status).to.equal(0);
      expect(stdout).to.contain('full');
      expect(existsSync(join(folder, 'out', 'accuracy.csv'))).to.equal(true);
    });
  });

  it('a page that does not find room leaves the earlier one as it was', function () {
    if (process.platform === 'win32') this.skip();
    writeFileSync(join(results, 'report.html'), 'earlier');
    const before = readdirSync(results);
    const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath, PROGRAM, 'report', results];
    const { status, stderr } = spawnSync('sh', limited, { encoding: 'utf8' });
    expect(stderr).to.match(
      /^\S+report\.html {2}cannot write: the file may not grow any further\n {2}Choose another place with --output\.$/m,
    );
    expect(status).to.equal(1);
    expect(readFileSync(join(results, 'report.html'), 'utf8')).to.equal('earlier');
    expect(readdirSync(results)).to.deep.equal(before);
  });

  it('a page that goes to a pipe is written to it, and at the end of a link the link stays', function () {
    if (process.platform === 'win32') this.skip();
    const script = 'mkfifo pipe; cat pipe > got & "$@" --output pipe; wait; "$@" --output link';
    symlinkSync(join(folder, 'page.html'), join(folder, 'link'));
    writeFileSync(join(folder, 'page.html'), 'earlier');
    const report = ['-c', script, 'sh', process.execPath, PROGRAM, 'report', results];
    const { status, stderr } = spawnSync('sh', report, { encoding: 'utf8', cwd: folder, ...HANGING });
    expect(status, stderr).to.equal(3);
    expect(readlinkSync(join(folder, 'link'))).to.equal(join(folder, 'page.html'));
    const page = readFileSync(join(folder, 'page.html'), 'utf8');
    expect(page).to.match(/<\/html>\s*$/);
    expect(readFileSync(join(folder, 'got'), 'utf8') === page).to.equal(true);
  });

  it('a folder that takes no others ends a run at once', function () {
    if (!existsSync('/proc/self')) this.skip();
    const into = ['run', writeSpec(folder, SPEC), '--engine', 'wasm', '--set', 'output=/proc/spark-eval/out'];
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...into], {
      encoding: 'utf8',
      ...HANGING,
    });
    expect(stderr).to.contain(
      '/proc/spark-eval/out  cannot create the result folder: the system takes no folder there\n  Choose another output folder: --output FOLDER',
    );
    expect(status).to.equal(1);
  });
});
