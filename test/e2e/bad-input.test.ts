/** Every mistake gets one clear error, the right exit code and no stack trace. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tasks } from '../../src/tasks/built-in.js';
import { sparkEval, temporaryFolder, writeSpec } from './support.js';

const GOOD = 'name: x\nmodel: spark-nano\ntasks: [ruler/niah_single_1]\ncontext: 512\ncache: [full]\n';

interface Mistake {
  readonly spec: string;
  readonly says: RegExp;
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'an unknown key': { spec: `${GOOD}sampels: 3\n`, says: /spec\.yaml:6:1.*sampels[\s\S]*samples/ },
  'an unknown method': {
    spec: GOOD.replace('[full]', '[{ snapvk: { budget: 99 } }]'),
    says: /spec\.yaml:5:\d+.*unknown method "snapvk"[\s\S]*Did you mean "snapkv"/,
  },
  'an unknown task': {
    spec: GOOD.replace('niah_single_1', 'niah_singel_1'),
    says: /spec\.yaml:3:\d+.*niah_singel_1[\s\S]*niah_single_1/,
  },
  'a ratio of 1.2': {
    spec: GOOD.replace('[full]', '[{ spark: { ratio: 1.2 } }]'),
    says: /spec\.yaml:5:\d+.*ratio: expected a number in \[0, 1\), got 1\.2/,
  },
  'a budget below the window': {
    spec: GOOD.replace('[full]', '[{ snapkv: { budget: 32 } }]'),
    says: /spec\.yaml:5:\d+.*budget/,
  },
  'a key that stands twice': { spec: `${GOOD}name: y\n`, says: /spec\.yaml:6:\d+/ },
  'no YAML': { spec: 'name: [x\n', says: /spec\.yaml:\d+:\d+/ },
  'an empty file': { spec: '# nothing\noutput: x\n', says: /spec\.yaml/ },
  'a context longer than the model': {
    spec: GOOD.replace('512', '5000'),
    says: /context 5000 is longer than the 4096 positions of spark-nano/,
  },
  'a model that is not there': {
    spec: GOOD.replace('spark-nano', './nowhere.gguf'),
    says: /nowhere\.gguf/,
  },
};

describe('bad input', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const expectError = (args: readonly string[], code: number, says: RegExp): void => {
    const { status, stderr } = sparkEval(args);
    expect(stderr).to.match(says);
    expect(status, stderr).to.equal(code);
    expect(stderr).to.not.match(/\n {4}at /);
  };

  for (const [name, { spec, says }] of Object.entries(MISTAKES)) {
    it(name, () => {
      expectError(['run', writeSpec(folder, spec), '--engine', 'wasm'], 2, says);
    });
  }

  it('all errors of a file at once', () => {
    const spec = writeSpec(folder, GOOD.replace('[full]', '[{ snapvk: {} }, { spark: { ratio: 2 } }]'));
    const { stderr } = sparkEval(['run', spec]);
    expect(stderr)
      .to.match(/snapvk/)
      .and.to.match(/got 2/);
  });

  it('a file that is not there', () => {
    expectError(['run', join(folder, 'none.yaml')], 2, /none\.yaml/);
  });

  it('an unknown option and an unknown command', () => {
    expectError(['run', '--fast', 'x.yaml'], 2, /--fast/);
    expectError(['rnu'], 2, /rnu/);
  });

  it('a model that has not been pulled', () => {
    const spec = writeSpec(folder, GOOD.replace('spark-nano', 'smollm2-135m'));
    const { status, stderr } = sparkEval(['run', spec, '--engine', 'wasm'], {
      SPARK_EVAL_CACHE: join(folder, 'cache'),
    });
    expect(status).to.be.oneOf([1, 2]);
    expect(stderr).to.match(/spark-eval pull smollm2-135m/);
  });

  it('an output folder that cannot be written', () => {
    writeFileSync(join(folder, 'file'), '');
    const spec = writeSpec(folder, `${GOOD}output: ${join(folder, 'file', 'out')}\n`);
    expectError(['run', spec, '--engine', 'wasm'], 1, /a part of the path is a file[\s\S]*--output FOLDER/);
  });

  it('an output folder without permission', function () {
    if (process.getuid?.() === 0) this.skip();
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    const spec = writeSpec(folder, `${GOOD}output: ${join(closed, 'out')}\n`);
    expectError(['run', spec, '--engine', 'wasm'], 1, /permission denied/);
  });
});

describe('the command line', () => {
  it('lists and shows what a spec may name', () => {
    expect(sparkEval(['list', 'methods']).stdout)
      .to.match(/spark/)
      .and.to.match(/snapkv/);
    expect(JSON.parse(sparkEval(['list', 'tasks', '--json']).stdout)).to.have.length(tasks.size);
    expect(sparkEval(['show', 'spark']).stdout)
      .to.match(/ratio/)
      .and.to.match(/2508\.15212/);
    expect(sparkEval(['show', 'sparc']).status).to.equal(2);
    expect(sparkEval(['doctor']).stdout).to.match(/engine wasm/);
  });

  it('plans without running', () => {
    const folder = temporaryFolder();
    try {
      const spec = writeSpec(folder, GOOD.replace('[full]', '[{ spark: { ratio: [0.5, 0.8] } }]'));
      const plan = sparkEval(['plan', spec]);
      expect(plan.status, plan.stderr).to.equal(0);
      expect(plan.stdout)
        .to.contain('spark(ratio=0.5)')
        .and.to.contain('spark(ratio=0.8)')
        .and.to.contain('full');
      expect(sparkEval(['run', spec, '--dry-run']).stdout).to.equal(plan.stdout);
      const overridden = sparkEval(['plan', spec, '--set', 'cache.0.spark.ratio=0.3']);
      expect(overridden.stdout).to.contain('spark(ratio=0.3)').and.to.not.contain('0.8');
      expect(sparkEval(['plan', spec, '--set', 'cache.7.spark.ratio=0.3']).status).to.equal(2);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
