/**
 * One file over HTTP, in pieces where a connection breaks.
 *
 * What has arrived is kept and gone on from, no more is taken than was announced, and a file appears only when its check
 * has passed.
 */
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../base/errors.js';
import { requestFault } from './hub.js';

export interface Download {
  readonly url: string;
  /** Size of the whole file. */
  readonly bytes: number;
  /** Throws UserError where the file that has arrived is not what was announced. */
  readonly check: (path: string) => Promise<void>;
}

/**
 * Puts the file at `path`. One that is there already is checked again, not fetched.
 *
 * @throws UserError where it cannot be fetched (what has arrived stays) or is not what was announced (it goes)
 */
export async function download({ url, bytes, check }: Download, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  if (existsSync(path)) await rename(path, part);
  if ((await sizeOf(part)) > bytes) await rm(part);
  try {
    if ((await sizeOf(part)) < bytes || bytes === 0) await fetchRest(url, part, await sizeOf(part), bytes);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`the download broke off: ${requestFault(cause)}`, { place: url, cause });
  }
  try {
    await check(part);
  } catch (error) {
    await rm(part);
    throw error;
  }
  await rename(part, path);
}

async function fetchRest(url: string, part: string, have: number, bytes: number): Promise<void> {
  const response = await fetch(url, {
    // A range is one of the file, not of its compressed form.
    headers: { 'accept-encoding': 'identity', ...(have === 0 ? {} : { range: `bytes=${have}-` }) },
  });
  if (!response.ok || response.body === null) {
    throw new UserError(`expected the file, got HTTP status ${response.status} ${response.statusText}`, {
      place: url,
    });
  }
  const goesOn =
    response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
  const start = goesOn ? have : 0;
  await pipeline(
    Readable.fromWeb(response.body),
    (chunks: AsyncIterable<Uint8Array>) => upTo(bytes - start, chunks, url),
    createWriteStream(part, { flags: goesOn ? 'a' : 'w' }),
  );
}

async function* upTo(
  most: number,
  chunks: AsyncIterable<Uint8Array>,
  url: string,
): AsyncGenerator<Uint8Array> {
  let left = most;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) throw new UserError(`expected at most ${most} bytes, got more`, { place: url });
    yield chunk;
  }
}

/** 0 where there is no file. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
