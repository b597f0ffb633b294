/**
 * What the hub says of a repository: its commit, its licence, and its files with their sizes and digests.
 *
 * All files of a pull are of one commit, whatever happens to the repository meanwhile.
 */
import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
import { UserError } from '../base/errors.js';
import { leadsOut } from '../base/inside-path.js';
import type { RemoteFile } from './download.js';
import { hubUrl } from './hub-address.js';
import { answerFault, type HubPlace } from './hub-fault.js';
import { isCommit } from './hub-id.js';
import { type Http, requestFault } from './http.js';

/** Most files of a repository that are looked at. */
const MOST_FILES = 100_000;
/** Bytes of a file that is read as text. */
const LONGEST_TEXT = 64 * 2 ** 20;

export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Of a large file. */
  readonly sha256?: string;
  /** git's blob hash, of a small file. */
  readonly gitHash?: string;
}

export interface Repository extends HubPlace {
  readonly commit: string;
  /** As its makers state it on the hub, where that was asked. */
  readonly licence: string | undefined;
  readonly files: readonly HubFile[];
}

/**
 * Looks at a repository.
 *
 * @param place its revision is a branch, a tag or a commit; the default branch where not given
 * @throws UserError where the hub cannot be reached, or refuses
 */
export async function readRepository(place: HubPlace, http: Http): Promise<Repository> {
  const { repository, revision } = place;
  const hub = { hubUrl: hubUrl(), fetch: askedBy(http, place) };
  try {
    const { commit, licence } = isCommit(revision)
      ? { commit: revision, licence: undefined }
      : await headOf(place, hub);
    const files: HubFile[] = [];
    const repo = { type: place.type, name: repository };
    for await (const entry of listFiles({ ...hub, repo, recursive: true, revision: commit })) {
      if (entry.type !== 'file') continue;
      if (files.length === MOST_FILES)
        throw new UserError(`has more than ${MOST_FILES} files`, { place: repository });
      files.push(checked(entry, repository));
    }
    return { ...place, commit, licence, files };
  } catch (cause) {
    http.options.signal?.throwIfAborted();
    if (cause instanceof UserError) throw cause;
    throw new UserError(`the hub at ${hubUrl()} does not answer: ${requestFault(cause)}`, {
      place: repository,
      cause,
    });
  }
}

/** A file of a repository as a download. */
export function remoteFile(
  { type, repository, commit }: Repository,
  { path, bytes, sha256, gitHash }: HubFile,
  pinned?: string,
): RemoteFile {
  return {
    url: `${hubUrl()}/${type === 'dataset' ? 'datasets/' : ''}${repository}/resolve/${commit}/${addressOf(path)}`,
    name: `${repository}/${path}`,
    bytes,
    sha256: pinned ?? sha256,
    pinned: pinned !== undefined,
    gitHash,
    hub: { type, repository },
  };
}

/** The text of a small file. Throws UserError where it cannot be fetched or is not small. */
export async function readHubText(repository: Repository, file: HubFile, http: Http): Promise<string> {
  const { url, name, hub } = remoteFile(repository, file);
  if (file.bytes > LONGEST_TEXT) throw new UserError(`is too large: ${file.bytes} bytes`, { place: name });
  try {
    const answer = await http.get(url);
    if (!answer.ok) throw await answerFault(answer, name, hub, http.options);
    const bytes: Uint8Array[] = [];
    let length = 0;
    const body = answer.body as AsyncIterable<Uint8Array> | null;
    for await (const chunk of body ?? []) {
      length += chunk.length;
      if (length > file.bytes)
        throw new UserError(`expected at most ${file.bytes} bytes, got more`, { place: name });
      bytes.push(chunk);
    }
    return Buffer.concat(bytes).toString('utf8');
  } catch (cause) {
    http.options.signal?.throwIfAborted();
    if (cause instanceof UserError) throw cause;
    throw new UserError(`the hub at ${hubUrl()} does not answer: ${requestFault(cause)}`, {
      place: name,
      cause,
    });
  }
}

interface Asked {
  readonly hubUrl: string;
  readonly fetch: typeof fetch;
}

async function headOf(
  { type, repository: name, revision }: HubPlace,
  hub: Asked,
): Promise<{ readonly commit: string; readonly licence: string | undefined }> {
  const request = { ...hub, name, ...(revision === undefined ? {} : { revision }) };
  const { sha, tags } =
    type === 'model'
      ? await modelInfo({ ...request, additionalFields: ['sha', 'tags'] })
      : await datasetInfo({ ...request, additionalFields: ['sha', 'tags'] });
  if (typeof sha !== 'string' || !/^[0-9a-f]{7,64}$/.test(sha)) {
    throw new UserError('the hub names no commit of it', { place: name });
  }
  const tag = (Array.isArray(tags) ? (tags as unknown[]) : []).find(
    (text): text is string => typeof text === 'string' && /^license:[\w.+-]{1,60}$/.test(text),
  );
  return { commit: sha, licence: tag?.slice('license:'.length) };
}

/** The library's way to the hub: ours, with its redirects, waits and words. */
function askedBy(http: Http, place: HubPlace): typeof fetch {
  return async (input) => {
    const answer = await http.get(
      typeof input === 'string' ? input : input instanceof URL ? input.href : input.url,
      { accept: 'application/json' },
    );
    if (!answer.ok) throw await answerFault(answer, place.repository, place, http.options);
    return answer;
  };
}

/** What the hub lists, which a mirror may have written. */
function checked(
  { path, size, oid, lfs }: { path: string; size: number; oid?: string; lfs?: { oid: string } },
  repository: string,
): HubFile {
  if (typeof path !== 'string' || leadsOut(path) || !Number.isSafeInteger(size) || size < 0) {
    throw new UserError(`the hub lists a file that cannot be one: ${JSON.stringify(path)}`, {
      place: repository,
    });
  }
  if (lfs !== undefined) return { path, bytes: size, sha256: lfs.oid };
  return oid === undefined ? { path, bytes: size } : { path, bytes: size, gitHash: oid };
}

function addressOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
