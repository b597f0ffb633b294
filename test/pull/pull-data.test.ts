import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { DATA_SETS, dataSetFolder, findDataSet } from '../../src/pull/data-sets.js';
import { missingFiles } from '../../src/pull/data-files.js';
import { pull as pullItem, type PullOptions } from '../../src/pull/pull.js';
import { readRecord } from '../../src/pull/record.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';
import { sha256, startHub, usePullEnvironment, zip, type FakeHub } from './support.js';

const LOOGLE = ['shortdep_qa', 'longdep_qa', 'longdep_summarization', 'shortdep_cloze'];
const parquet = (name: string): Uint8Array => Buffer.from(`PAR1 ${name}`.padEnd(200, '.'));

describe('pullDataSet', () => {
  const temp = useTempFolder();
  let hub: FakeHub;
  let lines: string[];
  beforeEach(async () => {
    hub = await startHub();
    lines = [];
  });
  afterEach(() => {
    hub.close();
  });

  usePullEnvironment(() => ({
    SPARK_EVAL_CACHE: temp('cache'),
    HF_ENDPOINT: hub.url,
    HF_HOME: temp('home'),
  }));

  const pull = async (name: string, options: Partial<PullOptions> = {}): Promise<string> => {
    const { folder } = await pullItem(name, {
      log: (line) => lines.push(line),
      wait: () => Promise.resolve(),
      ...options,
    });
    return folder;
  };
  const fault = async (name: string, options: Partial<PullOptions> = {}): Promise<string> =>
    (await userErrorAsync(() => pull(name, options))).format();
  const serveLoogle = (text = 'rows'): void => {
    hub.files['data.zip'] = zip(
      Object.fromEntries(LOOGLE.map((task) => [`data/${task}.json`, `${text} of ${task}\n`])),
    );
  };
  const serveRuler = (): void => {
    for (const length of [4096, 8192, 16384]) {
      hub.files[`${length}/test-00000-of-00001.parquet`] = parquet(`${length}`);
    }
  };
  /** A connection that breaks, and a hub that then takes no more requests for an hour. */
  const breaksFor = (path: string, bytes: number): void => {
    hub.breaks[path] = [bytes];
    hub.onBreak = () => {
      hub.refusals[path] = [{ status: 429, headers: { 'retry-after': '3600' } }];
    };
  };
  const inCache = (): string[] => readdirSync(temp('cache/data'));

  it('says licence and size first, unpacks an archive and pins what it held', async () => {
    serveLoogle();
    const folder = await pull('loogle');
    expect(folder).to.equal(dataSetFolder('loogle'));
    expect(lines[0]).to.equal(
      'LooGLE, the official data.zip, licence: CC-BY-SA-4.0, from bigai-nlco/LooGLE on the Hugging Face hub',
    );
    expect(lines[1]).to.match(/^1 kB in one file$/);
    expect(lines.at(-1)).to.match(/^pulled loogle from bigai-nlco\/LooGLE .*data\/loogle$/);
    expect(readdirSync(folder)).to.have.members([...LOOGLE.map((task) => `${task}.jsonl`), 'pull.json']);
    expect(readFileSync(join(folder, 'longdep_qa.jsonl'), 'utf8')).to.equal('rows of longdep_qa\n');
    const lock = readRecord(folder)!;
    expect(lock).to.include({ kind: 'data', name: 'loogle', pinned: 'nothing', commit: hub.commit });
    expect(lock.files['longdep_qa.jsonl']).to.deep.include({
      bytes: 19,
      sha256: sha256('rows of longdep_qa\n'),
    });
    expect(inCache()).to.deep.equal(['loogle']);
    expect(missingFiles(findDataSet('loogle')!, folder)).to.deep.equal([]);
  });

  it('takes the Parquet files of folders, at the commit of the catalogue, and nothing else', async () => {
    serveRuler();
    hub.files['4096/deeper/x.parquet'] = parquet('x');
    hub.files['README.md'] = Buffer.from('words');
    const folder = await pull('ruler-hub');
    expect(readdirSync(folder, { recursive: true })).to.have.members([
      ...['4096', '8192', '16384'].flatMap((length) => [length, `${length}/test-00000-of-00001.parquet`]),
      'pull.json',
    ]);
    expect(readRecord(folder)!.commit).to.equal('24adceac8a0e6532936e8d721cd9e9084d2e4686');
  });

  it('does nothing where the files are, and looks at their digests when asked to', async () => {
    serveRuler();
    const folder = await pull('ruler-hub');
    hub.close();
    await pull('ruler-hub');
    expect(lines.at(-1)).to.match(/^ruler-hub is already there \(sizes checked\), from simonjegou\/ruler/);
    await pull('ruler-hub', { verify: true });
    expect(lines.at(-1)).to.match(/digests checked/);
    writeFileSync(join(folder, '4096/test-00000-of-00001.parquet'), parquet('9999'));
    expect(await fault('ruler-hub', { verify: true })).to.match(/has sha256 .* instead of .*\n.*--force/);
  });

  it('pulls again what is damaged, from the commit of the first pull', async () => {
    serveLoogle();
    const folder = await pull('loogle');
    const first = hub.commit;
    hub.commit = 'deadbeef'.padEnd(40, '0');
    rmSync(join(folder, 'longdep_qa.jsonl'));
    await pull('loogle');
    expect(lines).to.include('loogle is damaged (longdep_qa.jsonl is missing) and is pulled again');
    expect(readRecord(folder)!.commit).to.equal(first);
  });

  it('refuses other content than the first pull brought, and keeps what is there', async () => {
    serveLoogle();
    const folder = await pull('loogle');
    serveLoogle('changed rows');
    expect(await fault('loogle', { force: true })).to.match(
      /^loogle {2}is not what the first pull brought: longdep_qa\.jsonl has sha256 .*\n.*delete .*loogle first/,
    );
    expect(readFileSync(join(folder, 'longdep_qa.jsonl'), 'utf8')).to.equal('rows of longdep_qa\n');
  });

  it('goes on where it broke off', async () => {
    serveRuler();
    breaksFor('8192/test-00000-of-00001.parquet', 150);
    expect(await fault('ruler-hub')).to.match(/asks to wait 3600 s\n.*what has arrived is kept/);
    expect(existsSync(dataSetFolder('ruler-hub'))).to.equal(false);
    hub.requests.length = 0;
    await pull('ruler-hub');
    expect(hub.requests.map(({ range }) => range)).to.deep.equal(['bytes=150-', undefined]);
    expect(lines).to.include('1 kB in 3 files, 1 kB of it there already');
    expect(inCache()).to.deep.equal(['ruler-hub']);
  });

  it('does not mix what is left of another commit into a pull', async () => {
    serveLoogle();
    breaksFor('data.zip', 50);
    await fault('loogle');
    const left = inCache();
    hub.commit = 'deadbeef'.padEnd(40, '0');
    serveLoogle('newer rows');
    const folder = await pull('loogle');
    expect(left).to.have.length(1).and.not.deep.equal(inCache());
    expect(inCache()).to.deep.equal(['loogle']);
    expect(readFileSync(join(folder, 'longdep_qa.jsonl'), 'utf8')).to.equal('newer rows of longdep_qa\n');
  });

  it('refuses what is not what the hub states, large files and small ones', async () => {
    serveRuler();
    const path = '4096/test-00000-of-00001.parquet';
    hub.instead[path] = parquet('evil');
    expect(await fault('ruler-hub')).to.match(/simonjegou\/ruler\/4096.* {2}expected sha256 /);
    hub.files[path] = Buffer.from('PAR1 small');
    hub.instead[path] = Buffer.from('PAR1 smalL');
    expect(await fault('ruler-hub')).to.match(/expected digest /);
    expect(existsSync(dataSetFolder('ruler-hub'))).to.equal(false);
  });

  it('says what a repository or an archive lacks', async () => {
    expect(await fault('loogle')).to.match(/bigai-nlco\/LooGLE {2}has no data\.zip in commit /);
    hub.files['data.zip'] = zip({ 'data/shortdep_qa.jsonl': 'x' });
    expect(await fault('loogle')).to.match(
      /have no longdep_qa\.jsonl, longdep_summarization\.jsonl, shortdep_cloze/,
    );
  });

  it('says that the hub cannot be reached and where files can be put by hand, and accepts them', async () => {
    hub.close();
    const folder = dataSetFolder('loogle');
    const message = await fault('loogle');
    expect(message).to.match(/the hub at http:.* does not answer: .*ECONNREFUSED/);
    expect(message).to.include(
      `put the files of the hub's data set bigai-nlco/LooGLE into ${folder} by hand`,
    );
    mkdirSync(folder, { recursive: true });
    for (const task of LOOGLE.slice(1)) writeFileSync(join(folder, `${task}.jsonl`), '{}\n');
    expect(await fault('loogle')).to.match(/holds files that were not pulled, but not shortdep_qa\.jsonl/);
    writeFileSync(join(folder, 'shortdep_qa.jsonl'), '{}\n');
    expect(await pull('loogle')).to.equal(folder);
    expect(lines.at(-1)).to.match(/is there, put by hand/);
  });

  it('knows its names', async () => {
    expect(await fault('loogel')).to.match(
      /no model or data set is called "loogel"\. Did you mean "loogle"\?/,
    );
  });

  it('refuses a damaged pull.json', async () => {
    serveLoogle();
    writeFileSync(join(await pull('loogle'), 'pull.json'), '{"format": 3}');
    expect(await fault('loogle')).to.match(/pull\.json {2}format: /);
  });

  it('refuses a pull.json that names files elsewhere', async () => {
    serveLoogle();
    const path = join(await pull('loogle'), 'pull.json');
    const lock = JSON.parse(readFileSync(path, 'utf8')) as { files: object };
    for (const name of ['../x', '/etc/passwd', 'a\0']) {
      writeFileSync(
        path,
        JSON.stringify({ ...lock, files: { ...lock.files, [name]: { bytes: 1, sha256: '' } } }),
      );
      expect(await fault('loogle'), name).to.match(
        /pull\.json {2}files\..*: expected a path inside the folder/,
      );
    }
  });
});

describe('the catalogue of data sets', () => {
  it('has different names, files for each, and pinned files of sites', () => {
    expect(new Set(DATA_SETS.map(({ name }) => name)).size).to.equal(DATA_SETS.length);
    for (const { name, files, source } of DATA_SETS) {
      expect(files.length, name).to.be.greaterThan(0);
      expect(new Set(files).size, name).to.equal(files.length);
      if (source.kind === 'site') {
        expect(files, name).to.have.length(1);
        expect(source.sha256, name).to.match(/^[0-9a-f]{64}$/);
        expect(source.url.endsWith(`/${files[0]!}`), name).to.equal(true);
      } else if (source.revision !== undefined) expect(source.revision).to.match(/^[0-9a-f]{40}$/);
    }
  });
});
