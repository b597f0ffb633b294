/** What must answer at once loads no heavy package; an interrupted run keeps what it has and says how to go on. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  hasLine,
  PROGRAM,
  sparkEval,
  startSparkEval,
  temporaryFolder,
  whileRunning,
  writeSpec,
} from './support.js';

const SPEC =
  'name: x\nmodel: spark-nano\ntasks: [ruler/niah_single_1]\ncontext: 384\nsamples: 2\ncache: [full]\n';

/** What is not in the bundle: engines, plots, queues, the hub. */
const HEAVY = /node_modules/;
const TOKENIZER = /node_modules\/@huggingface\/(jinja|tokenizers)\//;

const dataModule = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
/** Writes the address of every module that Node loads to standard error, whether imported or required. */
const TRACE = dataModule(
  `import Module, { isBuiltin, register } from 'node:module';
   import { writeSync } from 'node:fs';
   const load = Module._load;
   Module._load = (request, parent, isMain) => {
     if (!isBuiltin(request)) writeSync(2, 'LOADED ' + Module._resolveFilename(request, parent) + '\\n');
     return load(request, parent, isMain);
   };
   register(${JSON.stringify(
     dataModule(
       `import { writeSync } from 'node:fs';
       export async function load(url, context, next) { writeSync(2, 'LOADED ' + url + '\\n'); return next(url, context); }`,
     ),
   )});`,
);

function modulesOf(args: readonly string[]): { status: number | null; loaded: string[]; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, ['--import', TRACE, PROGRAM, ...args], {
    encoding: 'utf8',
  });
  const loaded = [...stderr.matchAll(/^LOADED (.*)$/gm)].map((match) => match[1]!);
  expect(loaded.some((url) => /\/(bin\/quick|dist\/cli\/main)\.js$/.test(url))).to.equal(true);
  return { status, loaded, stderr };
}

describe('the binary', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('loads no tensor library and no other heavy package to answer', () => {
    const spec = writeSpec(folder, SPEC);
    const commands = [
      ['--help'],
      ['list', 'methods'],
      ['list', 'engines'],
      ['show', 'spark'],
      ['plan', spec],
      ['status', spec],
    ];
    for (const args of commands) {
      // a plan looks at samples, for which it needs the tokenizer
      const allowed = args[0] === 'plan' ? TOKENIZER : /^$/;
      const heavy = modulesOf(args).loaded.filter((url) => HEAVY.test(url) && !allowed.test(url));
      expect(heavy, args.join(' ')).to.deep.equal([]);
    }
  });

  it('loads none for a finished run either', () => {
    const spec = writeSpec(folder, SPEC);
    expect(sparkEval(['run', spec, '--engine', 'wasm']).status).to.equal(0);
    const { status, loaded, stderr } = modulesOf(['run', spec]);
    expect(status).to.equal(0);
    expect(stderr).to.contain('x is finished: all 1 cell are in');
    expect(loaded.filter((url) => HEAVY.test(url))).to.deep.equal([]);
  });

  it('keeps what is finished on an interrupt, and gives the command that goes on', async () => {
    const spec = writeSpec(
      folder,
      SPEC.replace('samples: 2', 'samples: 500')
        .replace('name: x', `name: y`)
        .concat(`output: ${join(folder, 'interrupted')}\n`),
    );
    const args = ['run', spec, '--engine', 'wasm', '--fresh'];
    const started = startSparkEval(args);
    const journal = join(folder, 'interrupted', 'journal.jsonl');
    await whileRunning(started, () => hasLine(journal));
    started.child.kill('SIGINT');
    const code = await started.exited;
    const stderr = started.stderr();
    expect(code, stderr).to.equal(130);
    expect(stderr).to.contain('interrupted; what is finished is kept');
    expect(stderr).to.contain(`Go on with: spark-eval run ${spec} --engine wasm\n`);
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(() => JSON.parse(line) as unknown).to.not.throw();
    expect(existsSync(join(folder, 'interrupted', 'run.lock'))).to.equal(false);
    const status = sparkEval(['status', spec]);
    expect(status.status).to.equal(3);
    expect(status.stdout).to.contain(`${lines.length} of 500 results`);
  });
});
