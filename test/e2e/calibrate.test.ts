/** `spark-eval calibrate`: found once, kept, told where it is; mistakes and interrupts. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  sparkEval,
  startSparkEval,
  temporaryFolder,
  whileRunning,
  writeSpec,
  type Outcome,
} from './support.js';

const TINY = ['ratio=0.5', 'ranks=uniform', 'multiple=8', 'samples=2', 'length=64'];
const SPEC = `
name: x
model: spark-nano
tasks: [ruler/niah_single_1]
context: 512
cache:
  - recalkv: { ratio: 0.5, ranks: uniform, multiple: 8, samples: 2, length: 64 }
  - [{ knorm: { ratio: 0.5 } }, { recalkv: { ratio: [0.5, 0.75], ranks: uniform, multiple: 8, samples: 2, length: 64 } }]
`;

const withParams = (...params: readonly string[]): string[] => params.flatMap((param) => ['--param', param]);

describe('spark-eval calibrate', function () {
  this.timeout(120_000);
  let folder: string;
  const inCache = () => ({ SPARK_EVAL_CACHE: join(folder, 'cache') });
  const calibrate = (...args: string[]): Outcome =>
    sparkEval(['calibrate', 'spark-nano', '--engine', 'wasm', ...args], inCache());
  const kept = (): string[] => {
    const root = join(folder, 'cache', 'calibration');
    return existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  };

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('makes the weights, and says the second time that they are there', () => {
    const first = calibrate(...withParams(...TINY));
    expect(first.status, first.stderr).to.equal(0);
    expect(first.stderr).to.contain('done: 768 of 1536 channels per token stay (50.0 % removed)');
    expect(first.stdout.trimEnd().split('\n')).to.deep.equal(kept());
    expect(readdirSync(kept()[0]!).sort()).to.deep.equal(['factors.json', 'factors.safetensors']);

    const again = calibrate(...withParams(...TINY));
    expect(again.status).to.equal(0);
    expect(again.stdout).to.equal(first.stdout);
    expect(again.stderr).to.contain('was kept already').and.to.not.contain('done:');
  });

  it('makes those of a spec once each, as a list of values does', () => {
    const ofSpec = calibrate('--spec', writeSpec(folder, SPEC));
    expect(ofSpec.status, ofSpec.stderr).to.equal(0);
    expect(ofSpec.stdout.trimEnd().split('\n').sort()).to.deep.equal(kept().sort()).and.have.length(2);

    const swept = calibrate(...withParams('ratio=[0.5, 0.75]', ...TINY.slice(1)));
    expect(swept.stdout).to.equal(ofSpec.stdout);
    expect(swept.stderr.match(/was kept already/g)).to.have.length(2);
  });

  const MISTAKES: Readonly<Record<string, { args: readonly string[]; says: RegExp }>> = {
    'no parameters': {
      args: [],
      says: /^--param {2}ratio: expected a number in \(0, 1\), got nothing\n$/,
    },
    'a value out of range': {
      args: withParams('ratio=1.2'),
      says: /^--param ratio=1\.2 {2}ratio: expected a number in \(0, 1\), got 1\.2\n$/,
    },
    'an unknown parameter': {
      args: withParams('ratio=0.5', 'sample=3'),
      says: /^--param sample=3 {2}unknown key "sample"\. Did you mean "samples"\?\n$/,
    },
    'a parameter without a value': {
      args: withParams('ratio'),
      says: /^--param ratio {2}expected name=value/,
    },
    'a parameter twice': {
      args: withParams('ratio=0.5', 'ratio=0.75'),
      says: /^--param ratio=0\.75 {2}ratio is given twice/,
    },
    'a value that is no YAML': {
      args: withParams('ratio=0.5', 'text={'),
      says: /^--param text=\{ {2}the value is not valid YAML/,
    },
    'a value of two documents': {
      args: withParams('ratio=0.5\n---\n0.6'),
      says: /the value is not valid YAML: expected one document, found a second/,
    },
    'a text that is not there': {
      args: withParams('ratio=0.5', 'text=nowhere.txt'),
      says: /nowhere\.txt {2}cannot read the file/,
    },
    'parameters beside a spec': {
      args: ['--spec', 'x.yaml', '--param', 'ratio=0.5'],
      says: /cannot be used with/,
    },
    'a spec that is not there': { args: ['--spec', 'x.yaml'], says: /^x\.yaml {2}no such file/ },
  };
  for (const [name, { args, says }] of Object.entries(MISTAKES)) {
    it(`has one clear error for ${name}`, () => {
      const { status, stdout, stderr } = calibrate(...args);
      expect(stderr)
        .to.match(says)
        .and.to.not.match(/\n {4}at |fault of spark-eval/);
      expect([1, 2]).to.include(status);
      expect(stdout).to.equal('');
      expect(kept()).to.deep.equal([]);
    });
  }

  it('has one clear error for a model that nobody knows, and for a spec without such weights', () => {
    const unknown = sparkEval(['calibrate', 'spark-nan', ...withParams('ratio=0.5')], inCache());
    expect(unknown.status).to.equal(2);
    expect(unknown.stderr).to.match(/^unknown model "spark-nan"\. Did you mean "spark-nano"\?/);

    const plain = writeSpec(folder, SPEC.replace(/cache:[\s\S]*/, 'cache: [{ knorm: { ratio: 0.5 } }]'));
    const none = calibrate('--spec', plain);
    expect(none.status).to.equal(2);
    expect(none.stderr).to.contain('no pipeline of this spec needs calibrated weights');
  });

  it('leaves what is finished and nothing half-done on an interrupt', async () => {
    const args = ['calibrate', 'spark-nano', '--engine', 'wasm', ...withParams(...TINY.slice(0, 3))];
    const long = [...args, ...withParams('samples=500', 'length=512'), '--progress', 'json'];
    const started = startSparkEval(long, inCache());
    await whileRunning(started, () => started.stderr().includes('"event":"start"'));
    started.child.kill('SIGINT');
    expect(await started.exited, started.stderr()).to.equal(130);
    expect(started.stderr())
      .to.contain('interrupted; weights that are finished are kept')
      .and.to.contain('Go on with: spark-eval calibrate spark-nano --engine wasm --param ratio=0.5');
    expect(kept()).to.deep.equal([]);
  });
});
