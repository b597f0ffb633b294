import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { HubSource } from '../../src/pull/models.js';
import { fetchFromHub } from '../../src/pull/model-hub.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the hub source', () => {
  const temp = useTempFolder();
  const source: HubSource = {
    kind: 'hub',
    repository: 'owner/model',
    revision: 'c0ffee',
    required: ['config.json', 'model.safetensors'],
    optional: ['generation_config.json'],
    downloadBytes: 9,
    weights: 'test',
  };
  const contents: Record<string, string> = { 'config.json': '{}', 'model.safetensors': 'weights' };
  const blobHash = (text: string): string =>
    createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');
  let server: Server;
  let served: Record<string, string>;
  const before = process.env['HF_ENDPOINT'];

  /** The two kinds of request that a pull makes of the hub. */
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = request.url ?? '';
    const json = (value: unknown): void => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    };
    if (url === '/api/models/owner/model/paths-info/c0ffee') {
      json(
        Object.entries(contents).map(([path, text]) => ({
          ...{ path, type: 'file', size: text.length, oid: blobHash(text) },
          ...(path.endsWith('.safetensors')
            ? { lfs: { oid: sha256(text), size: text.length, pointerSize: 1 } }
            : {}),
        })),
      );
    } else {
      const path = url.replace('/owner/model/resolve/c0ffee/', '');
      const body = Buffer.from(served[path] ?? '');
      const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      if (range === null) {
        response.setHeader('content-length', body.length).end(body);
        return;
      }
      const [from, to] = [Number(range[1]), Math.min(Number(range[2]), body.length - 1)];
      response.writeHead(206, { etag: '"x"', 'content-range': `bytes ${from}-${to}/${body.length}` });
      response.end(body.subarray(from, to + 1));
    }
  };

  beforeEach(async () => {
    served = { ...contents };
    server = createServer(answer);
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
    process.env['HF_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    if (before === undefined) delete process.env['HF_ENDPOINT'];
    else process.env['HF_ENDPOINT'] = before;
  });

  it('downloads the files of one commit', async () => {
    const lines: string[] = [];
    expect(await fetchFromHub(source, temp(), (line) => lines.push(line))).to.match(/commit c0ffee$/);
    for (const [name, text] of Object.entries(contents))
      expect(readFileSync(temp(name), 'utf8')).to.equal(text);
    expect(lines).to.have.length(2);
  });

  it('refuses files that are not what the hub states', async () => {
    const fault = async (): Promise<string> =>
      (await userErrorAsync(() => fetchFromHub(source, temp(), () => undefined))).format();
    served['model.safetensors'] = 'WEIGHTS';
    expect(await fault()).to.match(/model.safetensors {2}expected digest/);
    served['config.json'] = '[]';
    expect(await fault()).to.match(/config.json {2}expected digest/);
    served['config.json'] = '{} ';
    expect(await fault()).to.match(/config.json {2}expected 2 bytes, got 3/);
  });

  it('refuses what the hub states rightly but is not the pinned file', async () => {
    const pinned = (text: string): HubSource => ({
      ...source,
      sha256: { 'model.safetensors': sha256(text) },
    });
    await fetchFromHub(pinned('weights'), temp(), () => undefined);
    const error = await userErrorAsync(() => fetchFromHub(pinned('others'), temp(), () => undefined));
    expect(error.format()).to.match(/^model.safetensors {2}expected sha256 /);
  });

  it('refuses a repository that lacks a file', async () => {
    const wanting = { ...source, required: [...source.required, 'tokenizer.json'] };
    const error = await userErrorAsync(() => fetchFromHub(wanting, temp(), () => undefined));
    expect(error.format()).to.equal('owner/model  has no tokenizer.json');
  });

  it('says that the hub cannot be reached', async () => {
    server.close();
    const error = await userErrorAsync(() => fetchFromHub(source, temp(), () => undefined));
    expect(error.message).to.match(/^the Hugging Face hub: .*ECONNREFUSED/);
  });
});
