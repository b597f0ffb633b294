/** What is compiled ahead for this Node is the same program: each command prints what the one in dist/ prints. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { sparkEval, temporaryFolder, writeSpec, type Outcome } from './support.js';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).href;
const COMPILED = fileURLToPath(
  new URL(`../../build/quick-${process.version}-${process.platform}-${process.arch}.bin`, import.meta.url),
);
const FROM_DIST = `const { main } = await import('${MAIN}'); process.exitCode = await main(process.argv.slice(1));`;

function fromDist(args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', FROM_DIST, '--', ...args],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  return { status, stdout, stderr };
}

describe('the commands that are compiled ahead', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('are compiled for the Node that built them', () => {
    expect(existsSync(COMPILED), COMPILED).to.equal(true);
  });

  const same = (args: readonly string[]): Outcome => {
    const quick = sparkEval(args);
    expect(quick, args.join(' ')).to.deep.equal(fromDist(args));
    return quick;
  };

  it('say what the program says of itself and of what there is', () => {
    const kinds = ['methods', 'tasks', 'models', 'data', 'engines'];
    const commands = [
      [],
      ['--help'],
      ['--version'],
      ['help', 'run'],
      ['plan', '--help'],
      ...kinds.flatMap((kind) => [
        ['list', kind],
        ['list', kind, '--json'],
      ]),
      ...['spark', 'recalkv', 'ruler/niah_single_1', 'spark-nano', 'longbench', 'wasm', 'ruler'].map(
        (name) => ['show', name],
      ),
    ];
    for (const args of commands) same(args);
  });

  it('say the same of a spec', () => {
    for (const args of [['plan'], ['plan', '--json'], ['status'], ['status', '--json']])
      same([...args, 'experiments/paper/table2-ruler-small.yaml']);
    const set = ['--set', 'samples=3', '--set', `output=${folder}/results`];
    expect(same(['plan', 'experiments/quickstart.yaml', ...set]).stdout).to.contain('132 results');
  });

  it('say the same under flags of Node that the code was not compiled for', () => {
    const args = ['plan', 'experiments/quickstart.yaml', '--set', `output=${folder}/results`];
    expect(sparkEval(args, { NODE_OPTIONS: '--max-old-space-size=512' })).to.deep.equal(sparkEval(args));
  });

  it('fail alike', () => {
    const bad = writeSpec(folder, 'name: x\nmodel: spark-nona\ntasks: [ruler]\ncontext: 0\ncache: [spork]\n');
    expect(same(['plan', bad]).status).to.equal(2);
    expect(same(['status', `${folder}/none.yaml`]).status).to.equal(2);
    expect(same(['show', 'sparkk']).status).to.equal(2);
    expect(same(['list', 'nothing']).status).to.equal(2);
  });
});
