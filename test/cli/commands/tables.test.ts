import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tell } from '../support.js';

const fixture = fileURLToPath(new URL('../../fixtures/results/table1-part', import.meta.url));
const spec = (name: string): string =>
  fileURLToPath(new URL(`../../../experiments/${name}.yaml`, import.meta.url));

describe('cli tables', () => {
  it('prints the published table with our numbers; exit code 3 while samples are missing', async () => {
    const told = await tell('tables', fixture, '--paper', 'table1');
    expect(told.code).to.equal(3);
    expect(told.out).to.equal(readFileSync(`${fixture}.md`, 'utf8'));
    expect(told.err).to.equal('5 of 168 samples are missing; what depends on them is marked\n');
  });

  it('prints what was measured without a published table', async () => {
    const { out } = await tell('tables', fixture, '--format', 'csv', '--margin', '2', '--seed', '7');
    const [header, full] = out.split('\n');
    expect(header).to.match(/^table,section,pipeline,score,stderr,95 % low,95 % high,lost,/);
    expect(full).to.match(/,full,95\.8\d+,/);
  });

  it('is 2 for what it does not know', async () => {
    for (const args of [
      ['tables'],
      ['tables', fixture, '--paper', 'table9'],
      ['tables', fixture, '--format', 'html'],
      ['tables', fixture, '--margin', '0'],
      ['tables', '/nowhere'],
    ]) {
      const told = await tell(...args);
      expect(told.code, args.join(' ')).to.equal(2);
      expect(told.err, args.join(' ')).to.not.match(/^ +at /m);
    }
  });
});

describe('cli estimate', () => {
  const speed = ['--gflops', '100', '--gbps', '10', '--decode-gflops', '50'];

  it('needs neither weights nor data: bytes, operations, time', async () => {
    const small = [
      '--set',
      'cache=[snapkv: {budget: 128}, pyramidkv: {budget: 128}]',
      '--set',
      'tasks=[longbench-hub/qasper]',
    ];
    const folder = ['--set', 'max_context=1000'];
    const told = await tell(
      'estimate',
      spec('paper/table1-longbench'),
      ...speed,
      ...small,
      ...folder,
      '--json',
    );
    expect(told).to.include({ code: 0, err: '' });
    const { blocks, seconds, rate } = JSON.parse(told.out) as {
      blocks: {
        model: string;
        promptTokens: number;
        pipelines: { pipeline: string; storedBytes: number }[];
        groups: Record<string, number>[];
      }[];
      seconds: number;
      rate: Record<string, unknown>;
    };
    expect(rate).to.deep.equal({
      operationsPerSecond: 1e11,
      decodeOperationsPerSecond: 5e10,
      bytesPerSecond: 1e10,
      source: 'given',
    });
    const [block] = blocks;
    expect(block).to.include({ model: 'llama-3-8b-instruct', promptTokens: 1000 });
    const mebibytes = block!.pipelines.map(({ pipeline, storedBytes }) => [pipeline, storedBytes / 2 ** 20]);
    expect(mebibytes).to.deep.equal([
      ['full', 125],
      ['snapkv(budget=128)', 16],
      ['pyramidkv(budget=128)', 112.5],
    ]);
    const [group] = block!.groups;
    expect(group!['seconds']).to.equal(seconds);
    expect(seconds).to.be.closeTo(200 * (group!['prefillSeconds']! + group!['decodeSeconds']!), 1e-6);
  });

  it('says the same in words, and what is assumed', async () => {
    const { out } = await tell('estimate', spec('quickstart'), ...speed, '--set', 'context=512');
    expect(out).to.match(/^spark-nano: weights 7\.76 MiB; prompts of 512 tokens: full cache 1\.50 MiB/);
    expect(out).to.match(/^snapkv\(ratio=0\.5,window=32\) +256 +768\.0 KiB +50\.0 +50\.0$/m);
    expect(out).to.match(
      /^quickstart: about \d+s at 100 GFLOP\/s in a prefill, 50\.0 and 10\.0 GB\/s of weights in decoding \(given\)$/m,
    );
    expect(out).to.match(/^Upper bounds: prompts and answers/m);
  });

  it('marks answers whose length the tokenizer decides', async () => {
    const tasks = 'tasks=[recite/list, ruler/niah_single_1]';
    const { out } = await tell(
      'estimate',
      spec('quickstart'),
      ...speed,
      '--set',
      'context=700',
      '--set',
      tasks,
    );
    expect(out).to.match(/^recite\/list +\d+ +~\d+ /m);
    expect(out).to.match(/^ruler\/niah_single_1 +\d+ +128 /m);
    expect(out).to.match(/^Upper bounds but where marked ~: /m);
    expect(out).to.match(/^~ new tokens: answers are counted in tokens, here of 4 characters each/m);
  });

  it('is 2 for a spec or a number that is wrong', async () => {
    expect((await tell('estimate', spec('quickstart'), '--gflops', '-1')).code).to.equal(2);
    expect((await tell('estimate', spec('quickstart'), ...speed, '--set', 'context=1000000')).code).to.equal(
      2,
    );
    expect((await tell('estimate', '/nowhere.yaml')).code).to.equal(2);
  });
});
