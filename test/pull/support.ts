/** A hub on the loopback, with a second host that it sends downloads to, and zip archives. */
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

/** A request for a file's bytes. */
export interface FileRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly status: number;
}

/** An answer that stands in for the right one, once. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Served {
  /** Contents of the repository, by path. */
  files: Record<string, Uint8Array>;
  /** Sizes that are listed in place of the true ones. */
  sizes: Record<string, number>;
  commit: string;
  /** Revisions that the repository has beside its commit and the default branch. */
  revisions: string[];
  /** Repositories that are there; all where it is empty. */
  repositories: string[];
  /** Tags of the repository, `license:…` among them. */
  tags: string[];
  /** Token without which files are refused: of a gated repository, or of a private one, whose listing is refused, too. */
  gate: { readonly token: string; readonly kind: 'gated' | 'private' } | undefined;
  /** Tokens that are known; another one is refused wherever it is sent. All where it is undefined. */
  known: string[] | undefined;
  /** Paths that break off after so many bytes, once for each number. */
  breaks: Record<string, readonly number[]>;
  /** Runs after a connection was broken. */
  onBreak: (path: string) => void;
  /** Answers in place of those for a file, or for the listing (`api`), one after the other. */
  refusals: Record<string, Refusal[]>;
  /** Requests for files, in their order. */
  requests: FileRequest[];
  /** Bytes that are sent in place of a file's own. */
  instead: Record<string, Uint8Array>;
  /** Takes no notice of ranges. */
  ignoresRanges: boolean;
  /** Sends no ETag, or another one each time. */
  tagging: 'content' | 'none' | 'restless';
  /** Takes a range whatever the file was when its first part was sent. */
  ignoresIfRange: boolean;
  /** Sends the downloads of files to the second host. */
  redirects: boolean;
  /** Every `authorization` header, with the host that got it. */
  authorizations: { readonly host: 'hub' | 'other'; readonly value: string }[];
}

export interface FakeHub extends Served {
  readonly url: string;
  close(): void;
}

/** A hub that has the same files in every repository; every file is also at `/site/<path>`. */
export async function startHub(): Promise<FakeHub> {
  const served: Served = {
    files: {},
    sizes: {},
    commit: 'c0ffee'.padEnd(40, '0'),
    revisions: [],
    repositories: [],
    tags: [],
    gate: undefined,
    known: undefined,
    breaks: {},
    onBreak: () => undefined,
    refusals: {},
    requests: [],
    instead: {},
    ignoresRanges: false,
    tagging: 'content',
    ignoresIfRange: false,
    redirects: false,
    authorizations: [],
  };
  const hub = createServer((request, response) => {
    answer(served, request, response, 'hub', addressOf(other));
  });
  const other = createServer((request, response) => {
    answer(served, request, response, 'other', '');
  });
  for (const server of [hub, other]) {
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
  }
  return Object.assign(served, {
    url: addressOf(hub),
    close: () => {
      for (const server of [hub, other]) {
        server.closeAllConnections();
        server.close();
      }
    },
  });
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const API = /^\/api\/(?:models|datasets)\/([^/]+\/[^/]+)\/(revision|tree)\/([^?]+)/;
const FILE = /^\/(?:site\/|(?:datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/)(.+)$/;

function answer(
  served: Served,
  request: IncomingMessage,
  response: ServerResponse,
  host: 'hub' | 'other',
  other: string,
): void {
  const url = decodeURIComponent((request.url ?? '').split('?')[0]!);
  const { authorization } = request.headers;
  if (authorization !== undefined) served.authorizations.push({ host, value: authorization });
  const token = authorization?.replace('Bearer ', '');
  const refuse = (status: number, code?: string): void => {
    response.writeHead(status, code === undefined ? {} : { 'x-error-code': code }).end('refused');
  };
  if (token !== undefined && served.known?.includes(token) === false) {
    refuse(401);
    return;
  }
  const api = API.exec(url);
  const [path, repository, revision] =
    api === null
      ? [FILE.exec(url)?.[3] ?? url, FILE.exec(url)?.[1], FILE.exec(url)?.[2]]
      : ['api', api[1], api[3]];
  const [refusal, ...later] = served.refusals[path] ?? [];
  if (refusal !== undefined) {
    served.refusals = { ...served.refusals, [path]: later };
    response.writeHead(refusal.status, refusal.headers ?? {}).end('refused');
    return;
  }
  const isMissing =
    repository !== undefined && served.repositories.length > 0 && !served.repositories.includes(repository);
  const { gate } = served;
  const isClosed = gate !== undefined && token !== gate.token && host === 'hub';
  if (isMissing || (isClosed && gate.kind === 'private')) {
    refuse(token === undefined ? 401 : 404, 'RepoNotFound');
    return;
  }
  const revisions = ['HEAD', 'main', served.commit, ...served.revisions];
  if (revision !== undefined && !/^[0-9a-f]{40}$/.test(revision) && !revisions.includes(revision)) {
    refuse(404, 'RevisionNotFound');
    return;
  }
  if (api !== null) answerApi(served, api[2]!, response);
  else if (isClosed && repository !== undefined) refuse(token === undefined ? 401 : 403, 'GatedRepo');
  else if (served.redirects && host === 'hub' && repository !== undefined) {
    response.writeHead(302, { location: `${other}/site/${encodeURI(path)}?signature=x` }).end();
  } else answerFile(served, path, request, response);
}

function answerApi(served: Served, what: string, response: ServerResponse): void {
  const json = (value: unknown): void => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  };
  if (what === 'revision') {
    json({
      ...{ _id: '1', id: 'owner/data', sha: served.commit, private: false, downloads: 0, likes: 0 },
      ...{ gated: served.gate?.kind === 'gated' ? 'manual' : false, tags: served.tags },
    });
    return;
  }
  json([
    { type: 'directory', path: 'folder', size: 0, oid: 'x' },
    ...Object.entries(served.files).map(([path, content]) => ({
      ...{ type: 'file', path, size: served.sizes[path] ?? content.length, oid: gitHash(content) },
      ...(content.length > 100
        ? { lfs: { oid: sha256(content), size: content.length, pointerSize: 1 } }
        : {}),
    })),
  ]);
}

function answerFile(served: Served, path: string, request: IncomingMessage, response: ServerResponse): void {
  const body = served.instead[path] ?? served.files[path];
  const { range: rangeHeader, 'if-range': ifRange } = request.headers;
  const range = /bytes=(\d+)-/.exec(rangeHeader ?? '');
  const respond = (status: number, headers: Readonly<Record<string, string | number>>): void => {
    served.requests.push({ path, range: rangeHeader, ifRange: ifRange as string | undefined, status });
    response.writeHead(status, headers);
  };
  if (body === undefined) {
    respond(404, { 'x-error-code': 'EntryNotFound' });
    response.end('no such file');
    return;
  }
  const etag =
    served.tagging === 'restless' ? `"${served.requests.length}"` : `"${sha256(body).slice(0, 16)}"`;
  const isSame = ifRange === undefined || ifRange === etag || served.ignoresIfRange;
  const from = range === null || served.ignoresRanges || !isSame ? 0 : Number(range[1]);
  const tag = served.tagging === 'none' ? {} : { etag };
  if (from > 0 && from >= body.length) {
    respond(416, { 'content-range': `bytes */${body.length}` });
    response.end();
    return;
  }
  respond(from > 0 ? 206 : 200, {
    ...tag,
    'content-length': body.length - from,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
  });
  const [breaksAfter, ...later] = served.breaks[path] ?? [];
  if (breaksAfter === undefined) {
    response.end(body.subarray(from));
    return;
  }
  served.breaks = { ...served.breaks, [path]: later };
  response.write(body.subarray(from, from + breaksAfter), () => {
    // Whoever reads loses what it has not taken when the connection breaks.
    setTimeout(() => {
      served.onBreak(path);
      response.destroy();
    }, 300);
  });
}

/** The variables that a pull looks at, as they are set for each test of the enclosing `describe`. */
export function usePullEnvironment(variables: () => Readonly<Record<string, string>>): void {
  const NAMES = [
    ...['SPARK_EVAL_CACHE', 'HF_ENDPOINT', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH', 'HF_HOME'],
    'XDG_CACHE_HOME',
  ];
  const before = NAMES.map((name) => [name, process.env[name]] as const);
  beforeEach(() => {
    for (const name of NAMES) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, variables());
  });
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
}
