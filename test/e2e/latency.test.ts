/** `latency:` in a spec: each pipeline alone, when all else is done. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { read } from 'vega';
import { type Outcome, sparkEval, temporaryFolder, writeSpec } from './support.js';

const SPEC = `
name: latency
model: spark-nano
tasks: [{ task: ruler/niah_single_1 }]
context: 512
samples: 1
cache: [{ snapkv: { ratio: 0.5, window: 32 } }, { think: { ratio: 0.001 } }]
`;

describe('spark-eval run, with latency', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (spec: string, ...args: string[]): Outcome =>
    sparkEval(['run', writeSpec(folder, spec), '--engine', 'wasm', '--progress', 'none', ...args]);
  const file = (): string => join(folder, 'out', 'latency.csv');
  const rows = (): Record<string, string>[] =>
    read(readFileSync(file(), 'utf8'), { type: 'csv', parse: null as never }) as Record<string, string>[];

  it('writes none where none is asked for, and no table pretends to be one', () => {
    run(SPEC);
    expect(existsSync(file())).to.equal(false);
    for (const name of ['accuracy.csv', 'memory.csv', 'results.csv']) {
      expect(readFileSync(join(folder, 'out', name), 'utf8').split('\n')[0]).to.not.match(/second|rss/);
    }
  });

  it('measures what is there, in the same folder, and keeps it', () => {
    const asked = `${SPEC}latency: { tokens: 5, warmup: 0, repeats: 2 }\n`;
    const plan = sparkEval(['plan', writeSpec(folder, asked)]);
    expect(plan.stdout).to.contain(
      '3 results, 3 reused, 0 to do\nlatencies of 3 rows, each measured alone when',
    );
    expect(plan.stdout).to.contain(': 0 + 2 rounds of 5 tokens');
    expect(sparkEval(['status', writeSpec(folder, asked)])).to.include({ status: 3 });
    const { stderr } = run(asked, '--threads', '2');
    expect(sparkEval(['status', writeSpec(folder, asked)])).to.include({ status: 0 });
    expect(stderr).to.not.match(/another spec/);
    expect(rows().map(({ pipeline }) => pipeline)).to.deep.equal([
      'full',
      'snapkv(ratio=0.5,window=32)',
      'think(ratio=0.001)',
    ]);
    for (const row of rows().slice(0, 2)) {
      expect(row).to.include({ engine: 'wasm', threads: '2', tokens: '5', repeats: '2' });
      expect(Number(row['prompt_tokens'])).to.be.above(300);
      for (const name of ['prefill', 'compression', 'token']) {
        const [least, middle, most] = ['_min', '', '_max'].map((end) => Number(row[`${name}_seconds${end}`]));
        expect(least).to.be.at.least(0);
        expect(middle).to.be.within(least!, most!);
      }
    }
    // think(ratio=0.001) cannot be applied
    expect(rows()[2]).to.include({ token_seconds: '', prompt_tokens: '' });
    const text = readFileSync(file(), 'utf8');
    run(`${SPEC}latency: { tokens: 5, warmup: 0, repeats: 2 }\n`);
    expect(readFileSync(file(), 'utf8')).to.equal(text);
  });

  it('measures anew where something else is asked for, and where the file is gone', () => {
    run(`${SPEC}latency: { tokens: 2, warmup: 1, repeats: 1 }\n`);
    expect(rows()[0]).to.include({ tokens: '2', repeats: '1' });
    rmSync(file());
    run(`${SPEC}latency: { tokens: 2, warmup: 1, repeats: 1 }\n`);
    expect(rows()[0]).to.include({ tokens: '2' });
  });

  it('refuses settings that make no sense', () => {
    const { status, stderr } = run(`${SPEC}latency: { tokens: 0 }\n`);
    expect(status).to.equal(2);
    expect(stderr).to.match(/latency.*tokens/s);
  });
});
