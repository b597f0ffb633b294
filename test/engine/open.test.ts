import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inspectEngines } from '../../src/engine/doctor.js';
import { checkModelFits, openEngine } from '../../src/engine/index.js';
import type { EngineName } from '../../src/engine/types.js';
import { UserError } from '../../src/errors.js';

describe('opening engines', () => {
  const cache = process.env['SPARK_EVAL_CACHE'];
  let empty: string;
  beforeEach(() => {
    empty = mkdtempSync(join(tmpdir(), 'spark-eval-'));
    process.env['SPARK_EVAL_CACHE'] = empty;
  });
  afterEach(() => {
    if (cache === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = cache;
    rmSync(empty, { recursive: true });
  });

  const failure = (name: string): Promise<unknown> =>
    openEngine(name as EngineName).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('names the engines where the name is unknown', async () => {
    const error = (await failure('cuda')) as UserError;
    expect(error).to.be.instanceOf(UserError);
    expect(error.exitCode).to.equal(2);
    expect(error.format()).to.match(/unknown engine "cuda"[\s\S]*gpu, native, wasm, cpu/);
  });

  it('says what helps where gpu is missing', async function () {
    if (inspectEngines().find(({ name }) => name === 'gpu')!.available) this.skip();
    const error = (await failure('gpu')) as UserError;
    expect(error.format()).to.match(/engine gpu is not available[\s\S]*spark-eval setup gpu/);
  });

  it('reports a native engine that is not built, with what helps', function () {
    const native = inspectEngines().find(({ name }) => name === 'native')!;
    if (native.available) this.skip();
    expect(native.found).to.contain(empty);
    expect(native.advice).to.contain('spark-eval setup native');
  });

  it('always has wasm, with one thread', async () => {
    expect(inspectEngines().find(({ name }) => name === 'wasm')!.available).to.equal(true);
    const engine = await openEngine('wasm');
    expect(engine.name).to.equal('wasm');
    expect(engine.threads).to.equal(1);
    expect(await openEngine('wasm')).to.equal(engine);
  });

  it('refuses numbers of threads that make no sense', async () => {
    const error: unknown = await openEngine('wasm', { threads: 0 }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(UserError);
  });

  it('says before loading that a model does not fit into wasm', () => {
    expect(() => {
      checkModelFits({ name: 'wasm' }, 32e9);
    }).to.throw(UserError);
    checkModelFits({ name: 'wasm' }, 16e6);
    checkModelFits({ name: 'native' }, 32e9);
  });
});
