import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { processors } from '../../src/base/processors.js';
import { type EngineReport, inspectEngines } from '../../src/engine/doctor.js';
import { checkModelFits, openEngine } from '../../src/engine/index.js';
import { wasmWeightCopies } from '../../src/engine/limits.js';
import { markerFile, nativeFolder, packageFolder, readMarker } from '../../src/engine/native/folder.js';
import { locateNative } from '../../src/engine/native/open.js';
import type { EngineName } from '../../src/engine/types.js';
import { UserError } from '../../src/base/errors.js';

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

  const writeMarker = (): void => {
    const folder = nativeFolder('native');
    mkdirSync(folder, { recursive: true });
    const marker = {
      ...{ format: 1, package: 'p', tensorflow: '2', tfjsNode: '4', wheel: 'w' },
      ...{ wheelSha256: 's', node: 'v', builtAt: 'now' },
    };
    writeFileSync(markerFile(folder), JSON.stringify(marker));
  };

  const report = async (wanted: EngineName): Promise<EngineReport> =>
    (await inspectEngines()).find(({ name }) => name === wanted)!;

  it('names the engines where the name is unknown', async () => {
    const error = (await failure('cuda')) as UserError;
    expect(error).to.be.instanceOf(UserError);
    expect(error.exitCode).to.equal(2);
    expect(error.format()).to.match(/unknown engine "cuda"[\s\S]*gpu, native, wasm, cpu/);
  });

  it('says what helps where gpu is missing', async function () {
    if ((await report('gpu')).available) this.skip();
    const error = (await failure('gpu')) as UserError;
    expect(error.format()).to.match(/engine gpu is not available[\s\S]*spark-eval setup gpu/);
  });

  it('reports a native engine that is not built, with what helps', async function () {
    const native = await report('native');
    if (native.available) this.skip();
    expect(native.detail).to.contain(empty);
    expect(native.hint).to.contain('spark-eval setup native');
    expect(native.threads).to.equal(0);
  });

  it('takes wasm where nothing is installed, and says what native needs', function () {
    if (locateNative('native').path !== undefined || locateNative('gpu').path !== undefined) this.skip();
    // in a process of its own: an engine that another test has opened stays open
    const source = fileURLToPath(new URL('../../src/engine/index.ts', import.meta.url));
    const code = `import { openEngine } from ${JSON.stringify(source)};
      console.log((await openEngine('auto')).name);
      await openEngine('native').catch((error) => console.log(error.format()));`;
    const node = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const { stdout } = spawnSync(process.execPath, node, { encoding: 'utf8' });
    expect(stdout).to.match(/^wasm\n[\s\S]*engine native is not available[\s\S]*spark-eval setup native/);
  });

  it('reports a build that does not load as broken', async function () {
    if (locateNative('native').path !== undefined) this.skip();
    const folder = nativeFolder('native');
    mkdirSync(packageFolder(folder, 'native'), { recursive: true });
    writeFileSync(join(packageFolder(folder, 'native'), 'index.js'), 'throw new Error("no such library");');
    writeMarker();
    const native = await report('native');
    expect(native.available).to.equal(false);
    expect(native.detail).to.contain('no such library');
    expect(native.hint).to.contain('--force');
  });

  it('takes what setup built, and else a package that was installed beside the program', () => {
    const packages = join(empty, 'node_modules');
    const installed = join(packages, '@tensorflow/tfjs-node');
    const locator = join(packages, '@mapbox/node-pre-gyp');
    for (const folder of [installed, locator]) mkdirSync(folder, { recursive: true });
    const binding = join(installed, 'tfjs_binding.node');
    writeFileSync(join(installed, 'package.json'), '{}');
    writeFileSync(join(locator, 'index.js'), `exports.find = () => ${JSON.stringify(binding)};`);
    const locate = (): unknown => locateNative('native', join(empty, 'program.js'));
    expect(locate(), 'installed without its binding').to.have.property('path', undefined);
    writeFileSync(binding, '');
    expect(locate()).to.deep.equal({ path: realpathSync(installed), from: 'package' });
    writeMarker();
    expect(locate()).to.deep.equal({
      path: packageFolder(nativeFolder('native'), 'native'),
      from: 'setup',
    });
  });

  it('gives tfjs-node the functions of util that Node has removed, without a warning', () => {
    const source = new URL('../../src/engine/native/removed-util.ts', import.meta.url).href;
    const code = `import { createRequire } from 'node:module';
      (await import(${JSON.stringify(source)})).restoreRemovedUtil();
      const util = createRequire(${JSON.stringify(source)})('util');
      console.log([null, undefined, 0, ''].map(util.isNullOrUndefined).join(), util.isArray([]), util.isArray({}));`;
    const node = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const { stdout, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8' });
    expect({ stdout, stderr }).to.deep.equal({ stdout: 'true,true,false,false true false\n', stderr: '' });
  });

  it('treats a build without a valid marker as absent', () => {
    const folder = nativeFolder('native');
    mkdirSync(folder, { recursive: true });
    for (const text of ['', '{', '{"format": 2}', '[]']) {
      writeFileSync(markerFile(folder), text);
      expect(readMarker(folder), text).to.equal(undefined);
    }
  });

  it('always has wasm, with a thread for each processor', async () => {
    expect((await report('wasm')).available).to.equal(true);
    const engine = await openEngine('wasm');
    expect(engine.name).to.equal('wasm');
    expect(engine.threads).to.equal(processors());
    expect(await openEngine('wasm')).to.equal(engine);
  });

  it('leaves no crash handlers of the wasm loader behind', () => {
    const script = `
      const { openEngine } = await import(process.argv[1]);
      await openEngine('wasm');
      process.stdout.write(String(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')));
    `;
    const main = new URL('../../src/engine/index.ts', import.meta.url).href;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script, main];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '0', stderr: '' });
  });

  it('refuses numbers of threads that make no sense', async () => {
    const error: unknown = await openEngine('wasm', { threads: 0 }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(UserError);
  });

  it('says before loading that a layer does not fit into wasm', () => {
    const most = 3.2e9 / wasmWeightCopies();
    expect(() => {
      checkModelFits({ name: 'wasm' }, most + 4);
    }).to.throw(UserError, /a layer of the model has .*holds at most (3\.2|1\.6) GB here/);
    checkModelFits({ name: 'wasm' }, most);
    checkModelFits({ name: 'native' }, 32e9);
  });
});
