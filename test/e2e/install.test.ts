/** The package as a user gets it: packed, installed in an empty folder without optional packages, and run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { temporaryFolder, writeSpec, type Outcome } from './support.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What npm says where no registry answers and its cache lacks a package. */
const OFFLINE =
  /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/;
const INSTALL = [
  'install',
  '--prefer-offline',
  '--omit=optional',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
];

describe('the package, installed from its tarball', function () {
  this.timeout(400_000);
  let folder: string;
  let installed: string;

  const npm = (args: readonly string[]): Outcome =>
    spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 170_000 });
  /** The program as npm linked it, in a folder that has no checkout around it. */
  const program = (...args: string[]): Outcome =>
    spawnSync(join(folder, 'node_modules/.bin/spark-eval'), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', SPARK_EVAL_CACHE: join(folder, 'cache') },
    });
  const succeeds = (...args: string[]): string => {
    const { status, stdout, stderr } = program(...args);
    expect(status, stderr).to.equal(0);
    return stdout;
  };

  before(function () {
    folder = temporaryFolder();
    installed = join(folder, 'node_modules/spark-eval');
    mkdirSync(join(folder, 'cache'));
    const pack = npm(['pack', '--ignore-scripts', '--silent', ROOT]);
    expect(pack.status, pack.stderr).to.equal(0);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!;
    const install = npm([...INSTALL, `./${tarball}`]);
    if (install.status !== 0 && OFFLINE.test(install.stderr)) {
      process.stderr.write('      skipped: no registry answers, and the cache of npm lacks a package\n');
      this.skip();
    }
    expect(install.status, install.stderr).to.equal(0);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has no optional package', () => {
    for (const name of ['@node-rs/jieba', '@resvg/resvg-js', '@tensorflow/tfjs-node'])
      expect(existsSync(join(folder, 'node_modules', name)), name).to.equal(false);
  });

  it('says what it can do', () => {
    expect(succeeds('--help')).to.match(/^Usage: spark-eval /);
    expect(succeeds('--version').trim()).to.equal(versionOf(join(ROOT, 'package.json')));
    expect(succeeds('list', 'methods')).to.match(/^spark +channel/m);
    expect(succeeds('list', 'tasks')).to.include('ruler/niah_single_1');
    expect(succeeds('doctor')).to.match(/wasm/);
  });

  it('plans a spec that came with it, named from anywhere, and a file of the user before that', () => {
    const named = succeeds('plan', 'experiments/quickstart.yaml');
    expect(named).to.include(join(folder, 'results/quickstart'));
    expect(succeeds('plan', join(installed, 'experiments/quickstart.yaml'))).to.equal(named);
    mkdirSync(join(folder, 'experiments'));
    const own = 'name: mine\nmodel: spark-nano\ntasks: [ruler/vt]\ncontext: 512\nsamples: 1\ncache: [full]';
    writeSpec(join(folder, 'experiments'), own);
    expect(succeeds('plan', 'experiments/spec.yaml')).to.match(/^mine/);
    expect(program('plan', 'experiments/none.yaml').stderr).to.include(join(installed, 'experiments'));
  });

  it('runs, and makes tables, plots and a page', () => {
    const small = ['--set', 'samples=1', '--set', 'context=512', '--engine', 'wasm'];
    expect(succeeds('run', 'experiments/quickstart.yaml', ...small)).to.match(/^spark\(ratio=0\.5\) /m);
    const results = join(folder, 'results/quickstart');
    expect(readFileSync(join(results, 'accuracy.csv'), 'utf8').trim().split('\n')).to.have.length(23);
    succeeds('status', 'experiments/quickstart.yaml', ...small.slice(0, 4));
    expect(succeeds('tables', 'results/quickstart')).to.include('niah_single_2');
    succeeds('plot', 'results/quickstart');
    succeeds('report', 'results/quickstart');
  });

  it('says what a missing optional package would have done', () => {
    const { stderr } = program('plot', 'results/quickstart', '--png');
    expect(stderr).to.include('@resvg/resvg-js');
  });
});

function versionOf(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
