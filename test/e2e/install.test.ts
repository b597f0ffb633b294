/** The package as a user gets it: packed, installed in an empty folder without optional packages, and run. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
    const types = spawnSync('npm', ['run', 'build:types'], { cwd: ROOT, encoding: 'utf8' });
    expect(types.status, types.stdout).to.equal(0);
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
    expect(succeeds('list', 'tasks')).to.match(/^ruler .*niah_single_1/m);
    expect(succeeds('doctor')).to.match(/wasm/);
  });

  it('plans a spec that came with it, named from anywhere, and a file of the user before that', () => {
    const named = succeeds('plan', 'experiments/quickstart.yaml');
    expect(named).to.include(join(folder, 'results/quickstart'));
    expect(succeeds('plan', join(installed, 'experiments/quickstart.yaml'))).to.equal(named);
    mkdirSync(join(folder, 'experiments'));
    const own = 'name: mine\nmodel: spark-nano\ntasks: [ruler/vt]\ncontext: 1024\nsamples: 1\ncache: [full]';
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

  describe("with methods, tasks and programs of one's own", () => {
    const example = (name: string): string => join(folder, 'examples', name);
    before(() => {
      cpSync(join(installed, 'examples'), join(folder, 'examples'), { recursive: true });
    });
    const inExample = (name: string, ...args: string[]): Outcome =>
      spawnSync(join(folder, 'node_modules/.bin/spark-eval'), args, {
        cwd: example(name),
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: '1' },
      });

    it('runs a method beside built-in ones, knows it in every command, and resumes', () => {
      const first = inExample('my-method', 'run', 'spec.yaml', '--engine', 'wasm');
      expect(first.status, first.stderr).to.equal(0);
      expect(first.stdout).to.match(/^value_norm\(ratio=0\.25\)\+spark\(ratio=0\.5\) /m);
      for (const args of [['plan'], ['status'], ['run'], ['estimate', '--gflops', '100', '--gbps', '10']]) {
        const [command, ...options] = args as [string, ...string[]];
        const again = inExample('my-method', command, 'spec.yaml', ...options);
        expect(again.status, again.stderr).to.equal(0);
      }
      expect(inExample('my-method', 'tables', 'results/my-method').stdout).to.include(
        'value_norm(ratio=0.5)',
      );
      const use = ['--use', './value-norm.ts'];
      expect(inExample('my-method', 'list', 'methods', ...use).stdout).to.match(/^value_norm +token/m);
      expect(inExample('my-method', 'show', 'value_norm', ...use).stdout).to.include('ratio');
      expect(inExample('my-method', 'schema', ...use).stdout).to.include('"value_norm"');
      const { plugins } = JSON.parse(
        readFileSync(join(example('my-method'), 'results/my-method/manifest.json'), 'utf8'),
      ) as { plugins: readonly { use: string; digest: string }[] };
      expect(plugins.map(({ use }) => use)).to.deep.equal(['./value-norm.ts']);
      expect(plugins[0]!.digest).to.match(/^[0-9a-f]{64}$/);
    });

    it('computes a method anew when a file of it has changed, and nothing else', () => {
      const file = join(example('my-method'), 'value-norm.ts');
      writeFileSync(file, `${readFileSync(file, 'utf8')}// changed\n`);
      const plan = inExample('my-method', 'plan', 'spec.yaml', '--json');
      expect(plan.status, plan.stderr).to.equal(0);
      const again = inExample('my-method', 'run', 'spec.yaml', '--engine', 'wasm');
      expect(again.stderr).to.match(/6 of 10 results to do/);
      expect(again.status, again.stderr).to.equal(0);
    });

    it('runs a task, in worker processes and shards too', () => {
      for (const options of [
        ['--workers', '2'],
        ['--fresh', '--shard', '1/2'],
        ['--shard', '2/2'],
      ]) {
        const { status, stderr } = inExample('my-task', 'run', 'spec.yaml', '--engine', 'wasm', ...options);
        expect(status, stderr).to.equal(0);
      }
    });

    it('runs a program on the library', () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], {
        cwd: example('library'),
        encoding: 'utf8',
      });
      expect(status, stderr).to.equal(0);
      expect(stdout.trim().split('\n')).to.have.length(3);
      expect(stdout).to.match(/^full \d+ null 1$/m);
    });

    it('gives a plug-in the classes of the program, and tells its faults with their place', () => {
      writeFileSync(
        join(example('my-method'), 'wrong.ts'),
        "import { UserError } from 'spark-eval';\nthrow new UserError('mine', { hint: 'help' });\n",
      );
      const { status, stderr } = inExample('my-method', 'list', 'methods', '--use', './wrong.ts');
      expect(status).to.equal(1);
      expect(stderr).to.match(/^--use, .*wrong\.ts {2}mine\n {2}help$/m);
    });
  });

  it('has types for programs that are checked strictly, however they resolve modules', () => {
    const program = [
      "import { loadSpec, readResults, runSpec, tokenMethod, z, budgetFields, checkBudget } from 'spark-eval';",
      "export const spec = await loadSpec('spec.yaml');",
      'export const { complete }: { complete: boolean } = await runSpec(spec, { workers: 2 });',
      'export const keys: string[] = readResults(spec.output).records.map(({ cell }) => cell);',
      'export default tokenMethod({',
      "  name: 'm', summary: 's', paper: 'p', params: z.strictObject(budgetFields).check(checkBudget()),",
      '  observes: () => [],',
      '  score: ({ kvHeads, length }) => new Float32Array(kvHeads * length),',
      '});',
    ];
    writeFileSync(join(folder, 'program.mts'), program.join('\n'));
    for (const [module, resolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--types', 'node'];
      const { status, stdout } = spawnSync(
        process.execPath,
        [
          ...[join(ROOT, 'node_modules/typescript/bin/tsc'), ...options],
          ...['--typeRoots', join(ROOT, 'node_modules/@types')],
          ...['--module', module!, '--moduleResolution', resolution!, 'program.mts'],
        ],
        { cwd: folder, encoding: 'utf8' },
      );
      expect(status, stdout).to.equal(0);
    }
  });

  it('keeps what publint asks of a package', async () => {
    const { publint } = await import('publint');
    const { messages } = await publint({ pkgDir: installed, pack: false });
    expect(messages.map(({ code }) => code)).to.deep.equal([]);
  });

  it('says what a missing optional package would have done', () => {
    const { stderr } = program('plot', 'results/quickstart', '--png');
    expect(stderr).to.include('@resvg/resvg-js');
  });
});

function versionOf(manifest: string): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}
