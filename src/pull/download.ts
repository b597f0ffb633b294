/**
 * One file over HTTP, in pieces where a connection breaks.
 *
 * What has arrived is kept beside the file's place, with the server's mark of that content (ETag), so that a later program
 * goes on from there; a file that is another one by then is fetched anew, never mixed.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { diskError, makeFolders } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { answerFault, type HubPlace } from './hub-fault.js';
import { backoff, type Http, requestFault } from './http.js';

/** Milliseconds without a byte after which a connection counts as broken. */
const STALL_MS = 60_000;
/** Tries in a row that bring nothing. */
const MOST_TRIES = 5;

export interface RemoteFile {
  readonly url: string;
  /** How messages name it. */
  readonly name: string;
  /** Size of the whole file. */
  readonly bytes: number;
  /** sha256 (hex) that this program knows, or that the hub states of a large file. */
  readonly sha256?: string | undefined;
  readonly pinned?: boolean;
  /** git's blob hash (hex), which the hub states of a small file. */
  readonly gitHash?: string | undefined;
  /** Where it lies on the hub, for what is said of refusals. */
  readonly hub?: HubPlace;
}

export interface Arrived {
  readonly bytes: number;
  readonly sha256: string;
}

/** Gets the bytes that have arrived; fewer than none where a file begins again. */
export type Advance = (bytes: number) => void;

/** Another file than the one that was begun. */
class Changed extends Error {}

/**
 * Puts the file at `path` and returns its digest. One that is there already is checked again, not fetched.
 *
 * @throws UserError where it cannot be fetched (what has arrived stays) or is not what was announced (it goes)
 */
export async function download(
  file: RemoteFile,
  path: string,
  http: Http,
  advance: Advance = () => undefined,
): Promise<Arrived> {
  makeFolders(dirname(path), 'create the folder', OTHER_CACHE);
  const part = `${path}.part`;
  const mark = `${path}.etag`;
  if (existsSync(path)) await rename(path, part);
  if ((await sizeOf(part)) > file.bytes) rmSync(part);
  const kept = await sizeOf(part);
  advance(kept);
  await fetchAll(file, part, mark, http, advance);
  let fault = await contentFault(file, part);
  if (typeof fault === 'string' && kept > 0) {
    // The piece that was there may be one of another content.
    http.options.log(`  ${file.name}: ${fault}; fetched anew`);
    advance(-(await sizeOf(part)));
    rmSync(part);
    await fetchAll(file, part, mark, http, advance);
    fault = await contentFault(file, part);
  }
  if (typeof fault === 'string') {
    rmSync(part);
    rmSync(mark, { force: true });
    throw new UserError(fault, {
      place: file.name,
      ...(file.pinned === true
        ? { hint: 'The download is damaged or is not the file that this version was checked with.' }
        : {}),
    });
  }
  await rename(part, path);
  rmSync(mark, { force: true });
  return { bytes: file.bytes, sha256: fault.sha256 };
}

/** Fetches until the part is as long as the file. */
async function fetchAll(
  file: RemoteFile,
  part: string,
  mark: string,
  http: Http,
  advance: Advance,
): Promise<void> {
  let changes = 0;
  for (let barren = 0; ;) {
    const have = await sizeOf(part);
    if (have === file.bytes && (file.bytes > 0 || existsSync(part))) return;
    try {
      await fetchRest(file, { part, mark, have }, http, advance);
      if ((await sizeOf(part)) >= file.bytes) return;
      throw new Error('the connection was closed before the end');
    } catch (error) {
      if (error instanceof UserError) throw error;
      http.options.signal?.throwIfAborted();
      if (error instanceof Changed) {
        advance(-(await sizeOf(part)));
        rmSync(part, { force: true });
        rmSync(mark, { force: true });
        if (++changes > 1)
          throw new UserError(`changes while it is fetched: ${error.message}`, {
            place: file.name,
            hint: 'Run the same command again later.',
          });
        http.options.log(`  ${file.name}: ${error.message}; fetched anew`);
        continue;
      }
      barren = (await sizeOf(part)) > have ? 1 : barren + 1;
      if (barren === MOST_TRIES) {
        throw new UserError(`the download broke off: ${requestFault(error)}`, {
          place: file.name,
          cause: error,
        });
      }
      await http.pause(backoff(barren));
    }
  }
}

interface Begun {
  readonly part: string;
  readonly mark: string;
  /** Bytes of the part. */
  readonly have: number;
}

async function fetchRest(
  file: RemoteFile,
  { part, mark, have }: Begun,
  http: Http,
  advance: Advance,
): Promise<void> {
  const known = have > 0 ? readMark(mark) : undefined;
  const isStrong = known?.startsWith('"') === true;
  const answer = await http.get(file.url, {
    // A range is one of the file, not of its compressed form.
    'accept-encoding': 'identity',
    ...(have === 0 ? {} : { range: `bytes=${have}-` }),
    ...(have > 0 && isStrong ? { 'if-range': known } : {}),
  });
  const etag = answer.headers.get('etag');
  if (answer.status === 416 && have > 0) throw new Changed('the server has no more of it');
  if (!answer.ok || answer.body === null) throw await answerFault(answer, file.name, file.hub, http.options);
  const goesOn = answer.status === 206;
  const length = answer.headers.get('content-length');
  if (
    !goesOn &&
    length !== null &&
    !answer.headers.has('content-encoding') &&
    Number(length) !== file.bytes
  ) {
    await answer.body.cancel();
    throw new UserError(`expected ${file.bytes} bytes, the server has ${length}`, { place: file.name });
  }
  if (goesOn) {
    const [, from, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '') ?? [];
    if (Number(from) !== have) throw new Changed('the server sends another part of it than was asked for');
    if (total !== '*' && Number(total) !== file.bytes)
      throw new Changed(`expected ${file.bytes} bytes, the server has ${total ?? 'unknown'}`);
    if (known !== undefined && etag !== null && etag !== known)
      throw new Changed('the server has another file since');
  }
  await write(
    {
      file,
      path: part,
      at: goesOn ? have : 0,
      opened: () => {
        if (goesOn) return;
        advance(-have);
        if (etag === null) rmSync(mark, { force: true });
        else writeFileSync(mark, etag);
      },
    },
    answer.body,
    advance,
  );
}

interface Target {
  readonly file: RemoteFile;
  readonly path: string;
  /** Where the first byte goes; what is there behind it is cut off. */
  readonly at: number;
  /** After that cut, before the first byte: a mark is never that of another content. */
  readonly opened: () => void;
}

async function write(
  { file, path, at: start, opened }: Target,
  body: ReadableStream<Uint8Array>,
  advance: Advance,
): Promise<void> {
  const reader = body.getReader();
  let handle: FileHandle | undefined;
  let at = start;
  try {
    handle = await onDisk(path, () => open(path, existsSync(path) ? 'r+' : 'w'));
    await onDisk(path, () => handle!.truncate(start));
    await onDisk(path, () => Promise.resolve().then(opened));
    for (;;) {
      const { done, value } = await withinTime(reader.read());
      if (done) break;
      if (at + value.length > file.bytes) {
        throw new UserError(`expected at most ${file.bytes} bytes, got more`, { place: file.name });
      }
      for (let written = 0; written < value.length;) {
        const { bytesWritten } = await onDisk(path, () =>
          handle!.write(value, written, value.length - written, at + written),
        );
        written += bytesWritten;
      }
      at += value.length;
      advance(value.length);
    }
    if (at === file.bytes) await onDisk(path, () => handle!.sync());
  } finally {
    await reader.cancel().catch(() => undefined);
    await handle?.close();
  }
}

/** What of the file is not as announced, in words; else its digest. Reads every byte, once. */
async function contentFault(
  { bytes, sha256, gitHash }: RemoteFile,
  path: string,
): Promise<string | { readonly sha256: string }> {
  const size = await sizeOf(path);
  if (size !== bytes) return `expected ${bytes} bytes, got ${size}`;
  const sha256Hash = createHash('sha256');
  const gitBlob = createHash('sha1').update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    sha256Hash.update(chunk as Buffer);
    if (gitHash !== undefined) gitBlob.update(chunk as Buffer);
  }
  const found = { sha256: sha256Hash.digest('hex'), git: gitBlob.digest('hex') };
  if (sha256 !== undefined && found.sha256 !== sha256)
    return `expected sha256 ${sha256}, got ${found.sha256}`;
  if (gitHash !== undefined && found.git !== gitHash) return `expected digest ${gitHash}, got ${found.git}`;
  return { sha256: found.sha256 };
}

/** Rejects where nothing comes for too long. */
async function withinTime<T>(read: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`nothing came for ${STALL_MS / 1000} s`));
    }, STALL_MS);
  });
  try {
    return await Promise.race([read, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw diskError(error, path, `write ${basename(path)}`, OTHER_CACHE);
  }
}

function readMark(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** 0 where there is no file. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** Forgets what has arrived of a file. */
export async function forget(path: string): Promise<void> {
  for (const name of [path, `${path}.part`, `${path}.etag`]) await rm(name, { force: true });
}
