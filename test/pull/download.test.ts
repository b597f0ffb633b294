import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { download, type RemoteFile } from '../../src/pull/download.js';
import { Http } from '../../src/pull/http.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';
import { sha256, startHub, type FakeHub } from './support.js';

describe('a download', () => {
  const temp = useTempFolder();
  const content = Buffer.from('abcdefghij'.repeat(1000));
  const other = Buffer.from('ABCDEFGHIJ'.repeat(1000));
  let site: FakeHub;
  let lines: string[];
  let waits: number[];
  let arrived: number;
  beforeEach(async () => {
    site = await startHub();
    site.files['a.json'] = content;
    [lines, waits, arrived] = [[], [], 0];
  });
  afterEach(() => {
    site.close();
  });

  const client = (): Http =>
    new Http({
      hubOrigin: site.url,
      token: undefined,
      log: (line) => lines.push(line),
      wait: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    });
  const fetchIt = (file: Partial<RemoteFile> = {}): Promise<unknown> =>
    download(
      {
        url: `${site.url}/site/a.json`,
        name: 'a.json',
        bytes: content.length,
        sha256: sha256(content),
        ...file,
      },
      temp('to/a.json'),
      client(),
      (bytes) => (arrived += bytes),
    );
  const fault = async (file?: Partial<RemoteFile>): Promise<string> =>
    (await userErrorAsync(() => fetchIt(file))).format();
  const isThere = (): boolean => readFileSync(temp('to/a.json')).equals(content);
  const ranges = (): (string | undefined)[] => site.requests.map(({ range }) => range);
  /** As a program that was killed there leaves it. */
  const leavePart = async (bytes: number, of = content): Promise<void> => {
    await fetchIt();
    const etag = `"${sha256(of).slice(0, 16)}"`;
    writeFileSync(temp('to/a.json.part'), of.subarray(0, bytes));
    writeFileSync(temp('to/a.json.etag'), etag);
    rmSync(temp('to/a.json'));
    [site.requests, arrived] = [[], 0];
  };

  it('puts the file where it should be, once, and tells its digest', async () => {
    expect(await fetchIt()).to.deep.equal({ bytes: content.length, sha256: sha256(content) });
    expect(isThere()).to.equal(true);
    expect(arrived).to.equal(content.length);
    await fetchIt();
    expect(ranges()).to.deep.equal([undefined]);
    for (const rest of ['.part', '.etag']) expect(existsSync(temp(`to/a.json${rest}`))).to.equal(false);
  });

  it('goes on by itself where a connection breaks, from the byte and of the same content', async () => {
    site.breaks['a.json'] = [4000];
    await fetchIt();
    expect(isThere()).to.equal(true);
    expect(ranges()).to.deep.equal([undefined, 'bytes=4000-']);
    expect(site.requests[1]!.ifRange).to.match(/^"/);
    expect([arrived, waits]).to.deep.equal([content.length, [500]]);
  });

  it('goes on with what an earlier program left', async () => {
    await leavePart(2500);
    await fetchIt();
    expect(isThere()).to.equal(true);
    expect(ranges()).to.deep.equal(['bytes=2500-']);
    expect(arrived).to.equal(content.length);
  });

  it('begins again where the server takes no ranges', async () => {
    await leavePart(2500);
    site.ignoresRanges = true;
    await fetchIt();
    expect(isThere()).to.equal(true);
    expect(arrived).to.equal(content.length);
  });

  it('never mixes two contents: it begins again where the file has changed since', async () => {
    for (const how of ['if-range', 'etag', 'digest'] as const) {
      site.ignoresIfRange = how !== 'if-range';
      site.tagging = 'content';
      await leavePart(2500, other);
      site.tagging = how === 'digest' ? 'none' : 'content';
      await fetchIt();
      expect(isThere(), how).to.equal(true);
      expect(arrived, how).to.equal(content.length);
    }
    expect(lines.join('\n')).to.match(
      /has another file since; fetched anew[\s\S]*expected sha256 .*; fetched anew/,
    );
  });

  it('begins again where the file changes while it is fetched, and says so where it never rests', async () => {
    site.files['a.json'] = other;
    site.breaks['a.json'] = [4000];
    site.onBreak = () => {
      site.files['a.json'] = content;
    };
    await fetchIt();
    expect(isThere()).to.equal(true);
    rmSync(temp('to/a.json'));
    site.ignoresIfRange = true;
    site.tagging = 'restless';
    site.breaks['a.json'] = [4000, 4000, 4000];
    expect(await fault()).to.match(
      /^a\.json {2}changes while it is fetched: the server has another file since\n {2}Run the same command/,
    );
  });

  it('begins again where the server has less than has arrived (416)', async () => {
    await leavePart(9000);
    site.ignoresIfRange = true;
    site.instead['a.json'] = content.subarray(0, 5000);
    expect(await fault()).to.equal('a.json  expected 10000 bytes, the server has 5000');
    expect(site.requests[0]).to.include({ range: 'bytes=9000-', status: 416 });
    site.instead = {};
    await fetchIt();
    expect(isThere()).to.equal(true);
  });

  it('throws away what is wrong, and takes no more than was announced', async () => {
    site.instead['a.json'] = other;
    expect(await fault({ pinned: true })).to.match(
      /^a\.json {2}expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}\n {2}The download is damaged or is not the file/,
    );
    site.instead['a.json'] = Buffer.from('x'.repeat(content.length + 1));
    expect(await fault()).to.equal('a.json  expected 10000 bytes, the server has 10001');
    site.instead = {};
    await fetchIt();
    expect(isThere()).to.equal(true);
  });

  it('checks a file that is there, and fetches it anew where it is not right', async () => {
    await fetchIt();
    writeFileSync(temp('to/a.json'), 'y'.repeat(content.length));
    await fetchIt();
    expect(isThere()).to.equal(true);
    expect(lines.at(-1)).to.match(/expected sha256 .*fetched anew/);
  });

  it('knows the digests of git, and empty files', async () => {
    site.files['a.json'] = Buffer.alloc(0);
    await fetchIt({ bytes: 0, sha256: undefined, gitHash: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391' });
    expect(readFileSync(temp('to/a.json'))).to.have.length(0);
    expect(await fault({ bytes: 0, sha256: undefined, gitHash: '0'.repeat(40) })).to.match(
      /expected digest 0+, got e69/,
    );
  });

  it('waits as long as it is asked to (429), tries again (503), and gives up after a while', async () => {
    site.refusals['a.json'] = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 429, headers: { 'retry-after': new Date(Date.now() + 60_000).toUTCString() } },
      { status: 503 },
    ];
    await fetchIt();
    expect(waits).to.have.length(3);
    expect(waits[0]).to.equal(7000);
    expect(waits[1]).to.be.within(50_000, 60_000);
    expect(waits[2]).to.equal(2000);
    expect(lines[0]).to.match(/127\.0\.0\.1:\d+ answers HTTP status 429 Too Many Requests: waiting 7 s/);
    site.files['a.json'] = Buffer.from(content);
    site.refusals['a.json'] = Array.from({ length: 5 }, () => ({ status: 503 }));
    rmSync(temp('to/a.json'));
    expect(await fault()).to.match(
      /HTTP status 503 Service Unavailable, 5 times\n.*what has arrived is kept/,
    );
  });

  it('does not wait for hours', async () => {
    site.refusals['a.json'] = [{ status: 429, headers: { 'retry-after': '3600' } }];
    expect(await fault()).to.match(/429 Too Many Requests: the server asks to wait 3600 s/);
    expect(waits).to.deep.equal([]);
  });

  it('says what the server says, and that it does not answer', async () => {
    expect(await fault({ url: `${site.url}/site/b.json`, name: 'b.json' })).to.match(
      /b\.json {2}expected the file, got HTTP status 404 Not Found/,
    );
    site.close();
    expect(await fault()).to.match(/the download broke off: .*ECONNREFUSED/);
  });

  it('ends at once where it is interrupted, and keeps what has arrived', async () => {
    const controller = new AbortController();
    site.breaks['a.json'] = [4000];
    site.onBreak = () => {
      controller.abort();
    };
    const http = new Http({
      ...{ hubOrigin: site.url, token: undefined, log: () => undefined, signal: controller.signal },
    });
    const file = { url: `${site.url}/site/a.json`, name: 'a.json', bytes: content.length };
    const failure = await download(file, temp('to/a.json'), http).catch((error: unknown) => error);
    expect(failure).to.have.property('name', 'AbortError');
    expect(readFileSync(temp('to/a.json.part'))).to.have.length(4000);
  });
});
