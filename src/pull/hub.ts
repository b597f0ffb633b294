/**
 * The Hugging Face hub, as whatever is pulled from it needs it: by `@huggingface/hub`.
 *
 * `HF_ENDPOINT` names a mirror; a failure reads as one error, and what the hub states of a file is what it is checked
 * by.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { sha256OfFile } from '../base/digest.js';
import { UserError } from '../base/errors.js';

/** Milliseconds that the hub has to answer a question about a repository. */
const ANSWER_TIMEOUT_MS = 20_000;

export interface HubFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly oid?: string | undefined;
  readonly lfs?: { readonly oid: string } | undefined;
}

/** The `hubUrl` of every request; none where the hub itself is asked. */
export function hubAddress(): { readonly hubUrl?: string } {
  const endpoint = process.env['HF_ENDPOINT'];
  return endpoint === undefined || endpoint === '' ? {} : { hubUrl: endpoint };
}

/** Runs a request; its failure becomes a UserError. The fetch that it is given gives up after a while. */
export async function askHub<T>(
  repository: string,
  request: (quick: typeof fetch) => Promise<T>,
): Promise<T> {
  try {
    return await request((input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
    );
  } catch (cause) {
    throw new UserError(`the Hugging Face hub: ${requestFault(cause)}`, { place: repository, cause });
  }
}

/** Why a request failed, in words: the message, and the code of what lies behind it. */
export function requestFault(cause: unknown): string {
  const error = cause as Error & { cause?: { code?: unknown } };
  const code = typeof error.cause?.code === 'string' ? ` (${error.cause.code})` : '';
  return `${error.message}${code}`;
}

/** Throws UserError where a file is not what the hub states of it. */
export async function expectStated(file: HubFile, path: string, repository: string): Promise<void> {
  const place = `${repository}/${file.path}`;
  const { size } = await stat(path);
  if (size !== file.size) throw new UserError(`expected ${file.size} bytes, got ${size}`, { place });
  const stated = file.lfs?.oid ?? file.oid;
  const found = file.lfs === undefined ? await gitBlobHash(path) : await sha256OfFile(path);
  if (found !== stated) throw new UserError(`expected digest ${stated ?? 'none'}, got ${found}`, { place });
}

async function gitBlobHash(path: string): Promise<string> {
  const content = await readFile(path);
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
