/** Pipelines that cannot be applied to some samples, or to none: the rest is done, and what cannot be is told, every time. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { read } from 'vega';
import { type Outcome, sparkEval, startHeld, temporaryFolder, writeSpec } from './support.js';

const WORDS = 'the grass is green the sky is blue the sun is yellow here we go there and back again'.split(
  ' ',
);
/** Rows of these many words; those of six are too short for the window. */
const LENGTHS = [100, 6, 100, 6, 100];

describe('spark-eval run, of pipelines that cannot be applied', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  const out = (name: string): string => join(folder, 'out', name);
  const journal = (): Record<string, unknown>[] =>
    readFileSync(out('journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const run = (...args: string[]): Outcome =>
    sparkEval(['run', spec, '--engine', 'wasm', '--progress', 'none', ...args]);
  const expectToldAll = ({ status, stdout, stderr }: Outcome): void => {
    expect(status, stderr).to.equal(1);
    expect(stdout, stderr).to.match(/streaming_llm\(budget=64\)/);
    expect(stderr).to.contain('what cannot be applied has no results; all else is done:');
    expect(stderr).to.match(
      /^ {2}2 of 5 samples: snapkv\(ratio=0\.5,window=32\) on own\/f1.*\n {4}\S.*changed nothing in a cache of/m,
    );
    expect(stderr).to.match(/^ {2}5 of 5 samples: think\(ratio=0\.001\) on own\/f1.*\n {4}.*prunes none/m);
    expect(stderr).to.match(/^ {2}5 of 5 samples: recalkv\(.*\n {4}.*recalkv removes nothing/m);
  };

  before(() => {
    folder = temporaryFolder();
    const rows = LENGTHS.map((length, row) => ({
      context: Array.from({ length }, (_, at) => WORDS[(at + row) % WORDS.length]).join(' '),
      question: 'What is the grass?',
      answers: ['green'],
    }));
    writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    spec = writeSpec(
      folder,
      `
name: inapplicable
model: spark-nano
tasks: [{ file: ${JSON.stringify(join(folder, 'rows.jsonl'))}, scorer: f1, max_new_tokens: 4 }]
context: 512
samples: ${LENGTHS.length}
cache:
  - snapkv: { ratio: 0.5, window: 32 }
  - streaming_llm: { budget: 64 }
  - think: { ratio: 0.001 }
  - recalkv: { ratio: 0.01, ranks: uniform, samples: 1, length: 32 }
`,
    );
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('does all the rest, writes the tables, and tells', () => {
    expectToldAll(run());
    expect(journal()).to.have.length(25);
    expect(journal().filter((line) => 'inapplicable' in line)).to.have.length(12);
    const rows = read(readFileSync(out('results.csv'), 'utf8'), { type: 'csv', parse: null as never });
    const counts = (rows as Record<string, string>[]).map((row) => [
      row['pipeline'],
      row['samples'],
      row['inapplicable'],
      row['pairs'],
      row['lost'] === '',
    ]);
    expect(counts).to.deep.equal([
      ['full', '5', '0', '', true],
      ['snapkv(ratio=0.5,window=32)', '3', '2', '3', false],
      ['streaming_llm(budget=64)', '5', '0', '5', false],
      ['think(ratio=0.001)', '0', '5', '0', true],
      ['recalkv(ratio=0.01,ranks=uniform,samples=1,length=32)', '0', '5', '0', true],
    ]);
  });

  it('counts them as done, and tells again', () => {
    expect(sparkEval(['status', spec])).to.include({ status: 0 });
    const again = run();
    expectToldAll(again);
    expect(again.stderr).to.contain('inapplicable is finished');
    expect(journal()).to.have.length(25);
    const { status, stdout } = sparkEval(['tables', join(folder, 'out')]);
    expect(status).to.equal(0);
    expect(stdout).to.match(/snapkv\(ratio=0\.5,window=32\) cannot be applied to 2 of 5 samples \(n = 3\)/);
    expect(stdout).to.contain('not applicable');
  });

  it('goes on after a kill, where nothing is left but what cannot be applied, too', async () => {
    const accuracy = readFileSync(out('accuracy.csv'), 'utf8');
    const lines = readFileSync(out('journal.jsonl'), 'utf8').trimEnd().split('\n');
    const done = lines.filter((line) => !line.includes('"inapplicable"'));
    rmSync(join(folder, 'out'), { recursive: true });
    const started = await startHeld(
      ['run', spec, '--engine', 'wasm', '--progress', 'none'],
      out('journal.jsonl'),
    );
    started.child.kill('SIGKILL');
    await started.exited;
    writeFileSync(out('journal.jsonl'), `${done.join('\n')}\n`);
    expect(sparkEval(['status', spec]).status).to.equal(3);
    expectToldAll(run('--workers', '2'));
    expect(journal()).to.have.length(25);
    expect(readFileSync(out('accuracy.csv'), 'utf8')).to.equal(accuracy);
  });

  it('joins shards that hold such samples', () => {
    const accuracy = readFileSync(out('accuracy.csv'), 'utf8');
    for (const index of [1, 2]) expect(run('--shard', `${index}/2`).status).to.equal(1);
    const shards = [1, 2].map((index) => join(folder, 'out', 'shards', `${index}-of-2`));
    const merged = sparkEval(['merge', ...shards, '--output', join(folder, 'merged')]);
    expectToldAll(merged);
    expect(readFileSync(join(folder, 'merged', 'accuracy.csv'), 'utf8')).to.equal(accuracy);
  });
});
