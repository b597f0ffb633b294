/** Models of a hub, from the id to a run: as a user types it, against a hub on the loopback. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startHub, type FakeHub } from '../pull/support.js';
import { PROGRAM, startSparkEval, type Outcome } from './support.js';

const NANO = new URL('../../models/spark-nano/', import.meta.url);
const ID = 'owner/nano';
const TOKEN = 'hf_secret_of_the_user';

describe('pull', function () {
  this.timeout(120_000);
  let folder: string;
  let hub: FakeHub;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-pull-'));
    hub = await startHub();
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors'])
      hub.files[name] = readFileSync(new URL(name, NANO));
    env = { SPARK_EVAL_CACHE: join(folder, 'cache'), HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'home') };
  });
  afterEach(() => {
    hub.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Not synchronously: the hub is of this process. */
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    new Promise((done) => {
      const options = { env: { ...process.env, NO_COLOR: '1', ...env, ...more }, cwd: folder };
      const child = execFile(process.execPath, [PROGRAM, ...args], options, (_, stdout, stderr) => {
        done({ status: child.exitCode, stdout, stderr });
      });
    });
  const spec = (model: string): string => {
    const path = join(folder, 'spec.yaml');
    writeFileSync(
      path,
      `name: pulled\nmodel: ${model}\ntasks: [ruler/niah_single_1]\ncontext: [384]\nsamples: 1\ncache: [full, { snapkv: { budget: 64 } }]\noutput: ${join(folder, 'out')}\n`,
    );
    return path;
  };

  it('brings a model that a spec names by its id; before, plan and run say how', async () => {
    const path = spec(`['${ID}', '${ID}@v2']`);
    hub.revisions = ['v2'];
    for (const command of [['plan'], ['run', '--engine', 'wasm']]) {
      const { status, stdout, stderr } = await run([...command, path]);
      expect(status, command[0]).to.be.oneOf([1, 2]);
      expect(stdout + stderr, command[0]).to.match(/spark-eval pull owner\/nano owner\/nano@v2/);
    }
    const pulled = await run(['pull', ID, `${ID}@v2`, '--json', '--progress', 'json']);
    expect(pulled.status, pulled.stderr).to.equal(0);
    const [first, second] = JSON.parse(pulled.stdout) as {
      folder: string;
      record: Record<string, unknown>;
    }[];
    expect(first!.record).to.deep.include({ kind: 'model', name: ID, pinned: 'nothing', commit: hub.commit });
    expect(second!.folder).not.to.equal(first!.folder);
    const events = pulled.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const total = Object.values(hub.files).reduce((sum, { length }) => sum + length, 0);
    expect(events.filter(({ event }) => event === 'stop')).to.deep.equal([
      { event: 'stop', done: total, total },
      { event: 'stop', done: total, total },
    ]);

    const { status, stderr } = await run(['run', path, '--engine', 'wasm', '--progress', 'none']);
    expect(status, stderr).to.equal(0);
    const accuracy = readFileSync(join(folder, 'out/accuracy.csv'), 'utf8').trim().split('\n');
    expect(accuracy.slice(1).map((line) => line.split(',')[0])).to.have.members([
      ...[ID, ID, `${ID}@v2`, `${ID}@v2`],
    ]);
    const listed = await run(['list', 'models']);
    expect(listed.stdout).to.match(/owner\/nano@v2 .*pulled by its id, commit c0ffee000000, nothing pinned/);
    expect((await run(['show', ID])).stdout).to.match(
      /pulled: +20\d\d-\d\d-\d\d from owner\/nano .*nothing pinned/,
    );
  });

  it('goes on after an interrupt, which leaves at once', async () => {
    hub.breaks['model.safetensors'] = [1_000_000];
    const started = startSparkEval(['pull', ID, '--progress', 'none'], env, folder);
    hub.onBreak = () => {
      hub.refusals['model.safetensors'] = [{ status: 429, headers: { 'retry-after': '120' } }];
    };
    await new Promise<void>((done) => {
      const look = setInterval(() => {
        if (!started.stderr().includes('waiting 120 s')) return;
        clearInterval(look);
        done();
      }, 20);
    });
    started.child.kill('SIGINT');
    expect(await started.exited).to.equal(130);
    expect(started.stderr()).to.match(
      /interrupted; what has arrived is kept, and the same command goes on with it/,
    );
    hub.requests = [];
    const { status, stdout, stderr } = await run(['pull', ID, '--progress', 'none']);
    expect(status, stderr).to.equal(0);
    expect(stderr).to.match(/MB in 3 files, 1 MB of it there already/);
    const weights = readFileSync(join(stdout.trim(), 'model.safetensors'));
    expect(weights.equals(hub.files['model.safetensors']!)).to.equal(true);
    expect(hub.requests.at(-1)).to.include({ range: 'bytes=1000000-', status: 206 });
  });

  it('says what a gated model asks for, in one message, and prints no token', async () => {
    hub.gate = { token: TOKEN, kind: 'gated' };
    const without = await run(['pull', ID]);
    expect(without.status).to.equal(1);
    expect(without.stderr).to.match(
      /owner\/nano {2}is gated: .*\n {2}Accept the licence at http.*\/owner\/nano\. .*HF_TOKEN/,
    );
    expect(without.stderr).not.to.match(/^\s+at /m);
    hub.known = [TOKEN];
    const wrong = await run(['pull', ID, '--debug'], { HF_TOKEN: 'hf_wrong_but_mine' });
    expect(wrong.stderr).to.match(/the token in HF_TOKEN is not accepted/);
    expect(wrong.stderr + wrong.stdout).not.to.include('hf_wrong');
    hub.redirects = true;
    const right = await run(['pull', ID], { HF_TOKEN: TOKEN });
    expect(right.status, right.stderr).to.equal(0);
    expect(right.stderr + right.stdout).not.to.include(TOKEN);
    expect(hub.authorizations.some(({ host }) => host === 'other')).to.equal(false);
  });

  it('says that a file cannot grow or the disk has no room, and goes on once it can', async function () {
    if (process.platform === 'win32') this.skip();
    const limited = 'ulimit -f 4000; exec "$@"';
    const child = await new Promise<Outcome>((done) => {
      const options = { env: { ...process.env, NO_COLOR: '1', ...env }, cwd: folder };
      const args = ['-c', limited, 'sh', process.execPath, PROGRAM, 'pull', ID];
      const started = execFile('sh', args, options, (_, stdout, stderr) => {
        done({ status: started.exitCode, stdout, stderr });
      });
    });
    expect(child.status, child.stderr).to.equal(1);
    expect(child.stderr).to.match(
      /model\.safetensors\.part {2}cannot write .*: the file may not grow any further\n.*SPARK_EVAL_CACHE/,
    );
    hub.sizes['model.safetensors'] = 1e15;
    const full = await run(['pull', ID]);
    expect(full.stderr).to.match(
      /the disk has too little room: 1000000\.0 GB are to come, .* are free\n {2}Free some space/,
    );
    hub.sizes = {};
    expect((await run(['pull', ID])).status).to.equal(0);
  });

  it('knows what is wrong with a name before it fetches anything', async () => {
    const { status, stderr } = await run(['pull', ID, 'owner/nano:q4']);
    expect(status).to.equal(2);
    expect(stderr).to.match(
      /got "owner\/nano:q4"\n {2}An id is org\/name, org\/name@revision or org\/name:file\.gguf/,
    );
    expect(existsSync(join(folder, 'cache'))).to.equal(false);
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
