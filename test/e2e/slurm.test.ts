/** SLURM jobs on a real one-node cluster, from `spark-eval slurm` to the merged tables. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Manifest } from '../../src/results/types.js';
import { OneNodeSlurm, whyNoSlurm } from './one-node-slurm.js';
import { sparkEval, temporaryFolder } from './support.js';

const SPEC = `
name: cluster
model: spark-nano
tasks: [ruler/niah_single_1]
context: [352, 384]
samples: 2
cache: [{ think: { ratio: 0.5 } }]
`;
const DEADLINE_MS = 180_000;

describe('spark-eval slurm', function () {
  this.timeout(300_000);
  let root: string;
  let folder: string;
  let slurm: OneNodeSlurm | undefined;

  before(async function () {
    const reason = whyNoSlurm();
    if (reason !== undefined) {
      console.log(`      SLURM is not tested: ${reason}`);
      this.skip();
    }
    root = temporaryFolder();
    folder = join(root, `it's "odd" #1 %a $HOME`);
    mkdirSync(folder);
    slurm = await OneNodeSlurm.start();
  });
  after(async () => {
    await slurm?.stop();
    if (slurm !== undefined) rmSync(root, { recursive: true, force: true });
  });

  it('submits shards and their merge, which gives the bytes of one run', async () => {
    const spec = join(folder, 'spec.yaml');
    const output = join(folder, 'out');
    writeFileSync(spec, SPEC);
    const set = (name: string): string[] => ['--set', `output=${JSON.stringify(join(folder, name))}`];
    const one = sparkEval(['run', spec, '--engine', 'wasm', ...set('one')]);
    expect(one.status, one.stderr).to.equal(0);

    const { status, stdout, stderr } = sparkEval(
      [
        ...['slurm', spec, ...set('out'), '--engine', 'wasm', '--shards', '3', '--at-once', '2', '--submit'],
        ...['--partition', 'all', '--time', '10', '--', '--comment=a "b" #c', '--nice', '--ntasks', '1'],
      ],
      slurm!.env,
    );
    expect(status, stderr).to.equal(0);
    expect(stdout).to.equal('');
    expect(stderr).to.match(/array job \d+ is submitted\nmerge job \d+ is submitted/);

    const manifest = join(output, 'manifest.json');
    const finished = (): boolean =>
      existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest).finishedAt !== null;
    const logs = (): string[] => readdirSync(join(output, 'slurm')).filter((name) => name.endsWith('.log'));
    const end = Date.now() + DEADLINE_MS;
    while (!finished()) {
      await sleep(200);
      if (Date.now() < end) continue;
      const texts = logs().map((name) => `--- ${name}\n${readFileSync(join(output, 'slurm', name), 'utf8')}`);
      throw new Error(`no merged results\n${texts.join('\n')}\n${slurm!.logs()}`);
    }
    expect(readFileSync(join(output, 'accuracy.csv'), 'utf8')).to.equal(
      readFileSync(join(folder, 'one', 'accuracy.csv'), 'utf8'),
    );
    const shards = ['1-of-3', '2-of-3', '3-of-3'];
    expect(readdirSync(join(output, 'shards')).sort()).to.deep.equal(shards);
    expect(logs().map((name) => name.replace(/-\d+/, ''))).to.have.members([
      ...['run_1.log', 'run_2.log', 'run_3.log', 'merge.log'],
    ]);
  });
});
