import { expect } from 'chai';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultFolder } from '../report/golden-files.js';
import { tell } from './support.js';

describe('cli plot and report', () => {
  let folder: string;
  let results: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-plot-'));
    results = join(folder, 'sweep');
    cpSync(resultFolder('sweep'), results, { recursive: true });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('draws into the first folder, says what is missing and leaves exit code 3', async () => {
    const { code, out, err } = await tell('plot', results, '--kind', 'bytes');
    expect(code).to.equal(3);
    expect(err).to.contain('1 of 2 samples: kivi(bits=2) on needle/map(depth=50)');
    expect(out.trim().split('\n')).to.deep.equal(
      ['bytes-spark-nano-1024.svg', 'bytes-spark-nano-512.svg'].map((name) => join(results, 'plots', name)),
    );
    expect(readdirSync(join(results, 'plots'))).to.have.length(2);
  });

  it('writes the page where it is told', async () => {
    const file = join(folder, 'new', 'page.html');
    const { code, out } = await tell('report', results, '--output', file);
    expect({ code, out }).to.deep.equal({ code: 3, out: `${file}\n` });
    expect(readFileSync(file, 'utf8')).to.match(/^<!doctype html>[^]*<\/html>\s*$/);
  });

  it('refuses what does not go together', async () => {
    const wrong = [
      ['plot'],
      ['plot', results, '--kind', 'pie'],
      ['plot', results, '--kind', 'saliency', '--model', 'spark-nano'],
      ['plot', results, '--model', 'spark-nano'],
      ['plot', '--kind', 'saliency'],
      ['plot', '--kind', 'saliency', '--model', 'spark-nano', '--layer', '-1'],
      ['plot', '--kind', 'saliency', '--model', 'spark-nano', '--task', 'ruler/niah'],
      ['report'],
    ];
    for (const args of wrong) expect(await tell(...args), args.join(' ')).to.include({ code: 2, out: '' });
  });

  it('says what is wrong with a folder', async () => {
    const journal = join(results, 'journal.jsonl');
    expect((await tell('merge', join(folder, 'none'))).err).to.contain('none  no such folder');
    for (const command of ['plot', 'report']) {
      expect((await tell(command, join(folder, 'none'))).err).to.contain('no such folder');
      expect((await tell(command, folder)).err).to.contain('holds no manifest.json');
    }
    const whole = readFileSync(journal, 'utf8');
    writeFileSync(journal, `${whole}{"torn`);
    expect((await tell('report', results)).err).to.contain('torn last line');
    writeFileSync(journal, whole.replace('"score":1', '"score":2'));
    const { code, err } = await tell('report', results);
    expect(code).to.equal(1);
    expect(err).to.match(
      /journal\.jsonl:\d+ {2}not a result record: score: expected a number in \[0, 1\], found 2\n/,
    );
  });

  it('says of a damaged manifest what helps whoever only reads', async () => {
    writeFileSync(join(results, 'manifest.json'), '{}');
    for (const command of ['tables', 'plot', 'report', 'merge']) {
      const out = command === 'merge' ? ['--output', join(folder, 'out')] : [];
      const { code, err } = await tell(command, results, ...out);
      expect(code, command).to.equal(1);
      const [fault, hint] = err.split('\n');
      expect(fault).to.match(
        /manifest\.json {2}not a manifest of format 1: format: expected 1, found nothing; name: expected a string, /,
      );
      expect(hint, command).to.match(/Put a whole copy in its place, or .*"spark-eval run" with --fresh/);
    }
  });

  it('says where it cannot write', async () => {
    const { code, err } = await tell(
      'report',
      results,
      '--output',
      join(results, 'manifest.json', 'page.html'),
    );
    expect(code).to.equal(1);
    expect(err).to.contain('--output');
  });

  it('has nothing to draw where no task has a depth', async () => {
    const manifest = join(results, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll('task.depth', 'task.other'));
    const { code, err } = await tell('plot', results, '--kind', 'needle');
    expect(code).to.equal(1);
    expect(err).to.contain('nothing to draw');
  });

  it('makes prompts again only where the tokenizer is the recorded one', async () => {
    const { code, err } = await tell('report', results, '--prompts');
    expect(code).to.equal(1);
    expect(err).to.contain('--prompts');
    expect(existsSync(join(results, 'report.html'))).to.equal(false);
  });

  it('measures the saliency of a model', async () => {
    const args = [
      'plot',
      '--kind',
      'saliency',
      '--model',
      'spark-nano',
      '--context',
      '384',
      '--engine',
      'wasm',
    ];
    const { code, out } = await tell(...args, '--output', folder);
    expect(code).to.equal(0);
    const [json, svg] = out.trim().split('\n');
    const data = JSON.parse(readFileSync(json!, 'utf8')) as { saliency: number[][]; keptShare: number[] };
    expect(data.saliency).to.have.length(64);
    expect(data.keptShare.every((share) => share >= 0 && share <= 1)).to.equal(true);
    expect(readFileSync(svg!, 'utf8')).to.match(/^<svg /);
  });
});
