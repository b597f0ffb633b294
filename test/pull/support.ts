/** A server that stands for the hub and for the sites of data sets, and zip archives. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { strToU8, zipSync, type Zippable } from 'fflate';

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');

export const gitHash = (content: Uint8Array): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

/** A zip archive of texts. */
export function zip(files: Readonly<Record<string, string>>): Uint8Array {
  const entries: Zippable = {};
  for (const [name, text] of Object.entries(files)) entries[name] = strToU8(text);
  return zipSync(entries);
}

export interface Served {
  /** Contents of the repository, by path. */
  files: Record<string, Uint8Array>;
  commit: string;
  /** Paths that break off after this many bytes, once. */
  breaks: Record<string, number>;
  /** Headers named `range` of the requests, in their order; `undefined` where there was none. */
  ranges: (string | undefined)[];
  /** Bytes that are sent in place of a file's own. */
  instead: Record<string, Uint8Array>;
  /** Takes no notice of ranges. */
  ignoresRanges: boolean;
}

export interface FakeHub extends Served {
  readonly url: string;
  close(): void;
}

/** A hub with the data set `owner/data`; every file is also at `/site/<path>`. */
export async function startHub(): Promise<FakeHub> {
  const served: Served = {
    files: {},
    commit: 'c0ffee0123456789',
    breaks: {},
    ranges: [],
    instead: {},
    ignoresRanges: false,
  };
  const server: Server = createServer((request, response) => {
    answer(served, request, response);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  return Object.assign(served, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

function answer(served: Served, request: IncomingMessage, response: ServerResponse): void {
  const url = decodeURIComponent(request.url ?? '');
  const json = (value: unknown): void => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  };
  if (/^\/api\/datasets\/[^/]+\/[^/]+\/revision\//.test(url)) {
    json({
      _id: '1',
      id: 'owner/data',
      sha: served.commit,
      private: false,
      gated: false,
      downloads: 0,
      likes: 0,
    });
    return;
  }
  if (/^\/api\/datasets\/[^/]+\/[^/]+\/tree\//.test(url)) {
    json([
      { type: 'directory', path: 'folder', size: 0, oid: 'x' },
      ...Object.entries(served.files).map(([path, content]) => ({
        ...{ type: 'file', path, size: content.length, oid: gitHash(content) },
        ...(content.length > 100
          ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 1 } }
          : {}),
      })),
    ]);
    return;
  }
  const path = url.replace(/^\/(site\/|datasets\/[^/]+\/[^/]+\/resolve\/[^/]+\/)/, '');
  const body = served.instead[path] ?? served.files[path];
  served.ranges.push(request.headers.range);
  if (body === undefined) {
    response.writeHead(404).end('no such file');
    return;
  }
  const range = /bytes=(\d+)-/.exec(request.headers.range ?? '');
  const from = range === null || served.ignoresRanges ? 0 : Number(range[1]);
  if (from > 0) {
    response.setHeader('content-range', `bytes ${from}-${body.length - 1}/${body.length}`);
  }
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': body.length - from });
  const breaksAfter = served.breaks[path];
  if (breaksAfter === undefined) {
    response.end(body.subarray(from));
    return;
  }
  served.breaks = Object.fromEntries(Object.entries(served.breaks).filter(([key]) => key !== path));
  response.write(body.subarray(from, from + breaksAfter), () => {
    // Whoever reads loses what it has not taken when the connection breaks.
    setTimeout(() => response.destroy(), 500);
  });
}
