/** Runs whose samples are computed by workers over a real Redis: the bytes of one run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { needsRedis, startRedis, type TestRedis } from '../support/redis.js';
import {
  sparkEval,
  type Started,
  startHeld,
  startSparkEval,
  temporaryFolder,
  whileRunning,
  writeSpec,
} from './support.js';

const SPEC = `
name: queued
model: ./model
tasks: [ruler/niah_single_1]
context: [384]
samples: 6
cache: [{ think: { ratio: 0.5 } }]
`;
const PASSWORD = 'correct-horse-battery';
const NANO = fileURLToPath(new URL('../../models/spark-nano', import.meta.url));
const EXAMPLE = fileURLToPath(new URL('../../examples/my-method/value-norm.ts', import.meta.url));
const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

describe('spark-eval run --queue, worker', function () {
  this.timeout(240_000);
  let folder: string;
  let spec: string;
  let redis: TestRedis | undefined;
  let expected: string;
  const started: Started[] = [];

  const url = (user = ''): string => `redis://${user}127.0.0.1:${redis!.port}/0`;
  const out = (...names: string[]): string => join(folder, 'out', ...names);
  const withPassword = { SPARK_EVAL_REDIS_PASSWORD: PASSWORD };
  const start = (args: string[], env: NodeJS.ProcessEnv = withPassword, cwd = folder): Started => {
    const program = startSparkEval(args, env, cwd);
    started.push(program);
    return program;
  };
  const worker = (name: string, ...args: string[]): Started =>
    start(['worker', url(), '--name', name, '--lease', '2', '--progress', 'json', ...args]);
  const computing = (program: Started): Promise<void> =>
    whileRunning(program, () => /"phase","name":"ruler[^"]*(prefill|decod)/.test(program.stderr()));
  const accuracy = (): string => readFileSync(out('accuracy.csv'), 'utf8');

  before(async function () {
    needsRedis(this);
    redis = await startRedis(['--port', 'PORT', '--requirepass', PASSWORD], { password: PASSWORD });
    folder = temporaryFolder();
    spec = writeSpec(folder, SPEC);
    cpSync(NANO, join(folder, 'model'), { recursive: true });
    const one = sparkEval(['run', spec, '--engine', 'wasm', '--progress', 'none'], {}, folder);
    expect(one.status, one.stderr).to.equal(0);
    expected = accuracy();
  });
  beforeEach(() => {
    rmSync(out(), { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const { child, exited } of started.splice(0)) {
      child.kill('SIGKILL');
      await exited;
    }
    await redis?.client.flushall();
  });
  after(async () => {
    await redis?.stop();
    if (redis !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('outlives a worker that is killed, refuses one with other weights, and shows no password', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    cpSync(join(folder, 'model'), join(elsewhere, 'model'), { recursive: true });
    const weights = join(elsewhere, 'model', 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(weights, bytes);

    const coordinator = start(['run', spec, '--engine', 'wasm', '--queue', url(`:${PASSWORD}@`)], {});
    const lost = worker('lost');
    await computing(lost);
    lost.child.kill('SIGSTOP'); // so that it holds its job however long the next one takes to look
    const other = start(['worker', url(), '--name', 'other', '--until-idle', '--folder', elsewhere]);
    expect(await other.exited).to.equal(0);
    lost.child.kill('SIGKILL');
    const good = worker('good');
    expect(await coordinator.exited, coordinator.stderr()).to.equal(0);
    await whileRunning(good, () => good.stderr().includes('looks for runs')); // it listens, however late it started
    good.child.kill('SIGTERM');
    expect(await good.exited, good.stderr()).to.equal(130);

    expect(accuracy()).to.equal(expected);
    expect(readFileSync(out('journal.jsonl'), 'utf8').trim().split('\n')).to.have.length(12);
    for (const { stderr } of [coordinator, other]) {
      expect(stderr()).to.match(/weights of \.\/model: [0-9a-f]{12}… at the run, [0-9a-f]{12}… here/);
    }
    expect(coordinator.stderr()).to.contain('worker other does not take this run');
    expect(await redis!.client.keys('*')).to.deep.equal([]);
    const written = readdirSync(out()).map((name) => readFileSync(out(name), 'utf8'));
    for (const text of [...written, ...started.map(({ stderr }) => stderr())]) {
      expect(text).to.not.contain(PASSWORD);
    }
  });

  it('outlives a coordinator that is killed, and an interrupted worker gives its job back', async () => {
    const first = worker('first');
    const args = ['run', spec, '--engine', 'wasm', '--queue', url()];
    const coordinator = await startHeld(args, out('journal.jsonl'), withPassword, folder);
    started.push(coordinator);
    coordinator.child.kill('SIGKILL');
    await coordinator.exited;
    first.child.kill('SIGTERM');
    expect(await first.exited, first.stderr()).to.equal(130);
    const second = worker('second', '--until-idle');
    expect(await second.exited, second.stderr()).to.equal(0);

    const again = start(['run', spec, '--engine', 'wasm', '--queue', url()]);
    expect(await again.exited, again.stderr()).to.equal(0);
    expect(accuracy()).to.equal(expected);
    expect(await redis!.client.keys('*')).to.deep.equal([]);
  });

  it('stops on an interrupt, says how to go on, and shows no password there', async () => {
    const coordinator = start(['run', spec, '--engine', 'wasm', '--queue', url(`:${PASSWORD}@`)], {});
    await whileRunning(coordinator, () => coordinator.stderr().includes('no worker is computing'));
    coordinator.child.kill('SIGINT');
    expect(await coordinator.exited, coordinator.stderr()).to.equal(130);
    expect(coordinator.stderr()).to.contain(
      `Go on with: spark-eval run ${spec} --engine wasm --queue ${url()}`,
    );
    expect(coordinator.stderr()).to.not.contain(PASSWORD);
    expect(await redis!.client.keys('*')).to.deep.equal([]);
  });

  it('has plug-ins computed by workers alone that were started with them', async () => {
    const plugin = join(folder, 'value-norm.ts');
    cpSync(EXAMPLE, plugin);
    const text = readFileSync(spec, 'utf8').replace(/cache: .*/, 'cache: [{ value_norm: { ratio: 0.5 } }]');
    const own = join(folder, 'own.yaml');
    writeFileSync(own, `use: [./value-norm.ts]\n${text}`);
    const coordinator = start(['run', own, '--engine', 'wasm', '--queue', url()]);
    await whileRunning(coordinator, () => coordinator.stderr().includes('no worker is computing'));
    const without = worker('without', '--until-idle');
    expect(await without.exited, without.stderr()).to.equal(0);
    expect(without.stderr()).to.match(
      /plug-ins that this worker does not have:.*plug-in \.\/value-norm\.ts [0-9a-f]{64}/,
    );
    const able = worker('able', '--until-idle', '--use', plugin);
    expect(await able.exited, able.stderr()).to.equal(0);
    expect(await coordinator.exited, coordinator.stderr()).to.equal(0);
    expect(accuracy()).to.include('value_norm(ratio=0.5)');
  });

  it('says what is wrong with Redis, or with the command', () => {
    const run = (...args: string[]): ReturnType<typeof sparkEval> =>
      sparkEval(['run', spec, '--engine', 'wasm', '--queue', ...args], {}, folder);
    for (const { status, stderr } of [
      run(url()),
      run(url(':wrong-one@')),
      sparkEval(['worker', url(':wrong-one@')]),
    ]) {
      expect(status).to.equal(1);
      expect(stderr).to.match(/redis:\/\/127.*cannot use this Redis: (NOAUTH|WRONGPASS)/);
      expect(stderr).to.contain('SPARK_EVAL_REDIS_PASSWORD').and.not.contain('wrong-one');
    }
    const nowhere = run('redis://127.0.0.1:1/0');
    expect(nowhere).to.include({ status: 1 });
    expect(nowhere.stderr).to.match(/redis:\/\/127\.0\.0\.1:1\/0 {2}cannot use this Redis: .*ECONNREFUSED/);
    for (const args of [
      ['http://host'],
      [url(), '--shard', '1/2'],
      [url(), '--workers', '2'],
      [url(), '--memory', '1GB'],
    ]) {
      expect(run(...args), args.join(' ')).to.include({ status: 2 });
    }
    expect(sparkEval(['worker', 'redis://:secret-one@']).stderr).to.not.contain('secret-one');
  });

  it('speaks TLS, and trusts the certificates that Node trusts', async function () {
    if (!HAS_OPENSSL) {
      console.log('      skipped: openssl is not installed');
      this.skip();
    }
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', key, '-out', certificate];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files],
      { stdio: 'ignore' },
    );
    const secure = await startRedis(
      [
        ...['--port', '0', '--tls-port', 'PORT', '--tls-auth-clients', 'no'],
        ...['--tls-key-file', key, '--tls-cert-file', certificate, '--tls-ca-cert-file', certificate],
      ],
      { tls: { ca: readFileSync(certificate, 'utf8') } },
    );
    try {
      const address = `rediss://localhost:${secure.port}/0`;
      const trust = { NODE_EXTRA_CA_CERTS: certificate };
      const args = ['run', spec, '--engine', 'wasm', '--set', 'samples=1', '--queue', address];
      const strange = sparkEval(args, {}, folder);
      expect(strange).to.include({ status: 1 });
      expect(strange.stderr).to.match(/cannot use this Redis: .*self-signed certificate/);
      const coordinator = start(args, trust);
      await whileRunning(coordinator, () => coordinator.stderr().includes('no worker is computing'));
      const { status, stderr } = sparkEval(['worker', address, '--until-idle'], trust, folder);
      expect(status, stderr).to.equal(0);
      expect(await coordinator.exited, coordinator.stderr()).to.equal(0);
    } finally {
      await secure.stop();
    }
  });
});
