/**
 * `spark-eval pull NAME`: brings a model or a data set into the user's cache folder.
 *
 * A folder appears there only when it is complete; what has arrived of one that is not stays beside it, for the next pull.
 * A later pull must bring what the first one brought.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { diskError, makeFolders } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { type ProcessLock, takeLock } from '../base/process-lock.js';
import { putInPlace, removeAbandoned } from '../base/staging.js';
import {
  dropOtherWork,
  fetchSource,
  type FetchContext,
  type PullProgress,
  sizeText,
} from './fetch-source.js';
import { Http, type HttpOptions } from './http.js';
import { hubUrl } from './hub-address.js';
import { findToken } from './hub-token.js';
import { type Pullable, pullableNamed } from './pullable.js';
import {
  digestFault,
  type PullRecord,
  readRecord,
  recordDifference,
  sizeFault,
  writeRecord,
} from './record.js';
import { originOf, type RemoteSource } from './sources.js';

export interface PullOptions extends Pick<HttpOptions, 'signal' | 'wait'>, Pick<FetchContext, 'wheel'> {
  /** Gets one line per step. */
  readonly log: (line: string) => void;
  readonly progress?: PullProgress;
  /** Pull again and replace what is there. Default false. */
  readonly force?: boolean;
  /** Compare the digests, not only the sizes, of what is there. Default false. */
  readonly verify?: boolean;
}

export interface Pulled {
  readonly kind: Pullable['kind'];
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  /** Undefined where files were put by hand, or are part of this package. */
  readonly record: PullRecord | undefined;
}

/**
 * Makes a model or a data set present.
 *
 * @param name of the catalogues, or a model's id on the hub
 * @throws UserError for an unknown name, for files that differ from their digests, and where no source can be reached, which
 * then says where files can be put by hand
 */
export async function pull(name: string, options: PullOptions): Promise<Pulled> {
  const item = pullableNamed(name);
  const { kind, folder, embedded } = item;
  if (embedded) {
    options.log(`${name} is part of this package: ${folder}`);
    return { kind, name, folder, record: undefined };
  }
  const lock = lockOf(item);
  try {
    await removeAbandoned(folder);
    if (options.force !== true && (await isPresent(item, options)))
      return { kind, name, folder, record: readRecord(folder) };
    return { kind, name, folder, record: await fetchItem(item, options) };
  } catch (error) {
    throw isOfDisk(error) ? diskError(error, folder, 'write to the cache folder', OTHER_CACHE) : error;
  } finally {
    lock.release();
  }
}

/** Two pulls would write one file. */
function lockOf({ name, folder }: Pullable): ProcessLock {
  makeFolders(dirname(folder), 'create the folder', OTHER_CACHE);
  const path = `${folder}.lock`;
  return takeLock(path, {
    taken: (holder) =>
      new UserError(`is being pulled by another process (${holder})`, {
        place: name,
        hint: `Wait for it. If there is no such process, remove ${path}.`,
      }),
    fault: (error, at, action) => diskError(error, at, action, OTHER_CACHE),
    action: 'write to the cache folder',
  });
}

async function isPresent(item: Pullable, { log, verify }: PullOptions): Promise<boolean> {
  const { name, folder } = item;
  if (!existsSync(folder) || readdirSync(folder).length === 0) return false;
  const record = readRecord(folder);
  if (record === undefined) {
    const missing = item.lacks(folder);
    if (missing.length === 0) {
      log(`${name} is there, put by hand: ${folder} (--force replaces it)`);
      return true;
    }
    throw new UserError(`holds files that were not pulled, but not ${missing.join(', ')}`, {
      place: folder,
      hint: `Add what is missing, or replace all: spark-eval pull ${name} --force`,
    });
  }
  const wrongSize = sizeFault(folder, record);
  if (wrongSize !== undefined) {
    log(`${name} is damaged (${wrongSize}) and is pulled again`);
    return false;
  }
  const wrongDigest = verify === true ? await digestFault(folder, record) : undefined;
  if (wrongDigest !== undefined) {
    throw new UserError(wrongDigest, { place: folder, hint: `spark-eval pull ${name} --force` });
  }
  const checked = verify === true ? 'digests' : 'sizes';
  log(`${name} is already there (${checked} checked), from ${record.source}: ${folder}`);
  return true;
}

async function fetchItem(item: Pullable, options: PullOptions): Promise<PullRecord> {
  const { kind, name, folder } = item;
  const earlier = existsSync(folder) ? readRecord(folder) : undefined;
  const { source, gathered } = await fetchAny(item, earlier, options);
  const { work, commit, pinned, digests } = gathered;
  const about = { kind, name, source: originOf(source), commit, pinned };
  const record = await writeRecord(work, about, digests);
  const difference = earlier === undefined ? undefined : recordDifference(earlier, record);
  if (difference !== undefined) {
    rmSync(work, { recursive: true, force: true });
    throw new UserError(`is not what the first pull brought: ${difference}`, {
      place: name,
      hint: `To take what the source has now, delete ${folder} first.`,
    });
  }
  await dropOtherWork(item, work);
  await putInPlace(work, folder);
  options.log(`pulled ${name} from ${about.source}${pinText(record)}: ${folder}`);
  return record;
}

/** What a reader of results should know of where a model came from. */
function pinText({ commit, pinned }: PullRecord): string {
  const at = commit === null ? '' : `, commit ${commit}`;
  return pinned === 'nothing' ? `${at} (nothing was pinned: this is what it has today)` : at;
}

/** Tries the sources in order. */
async function fetchAny(
  item: Pullable,
  earlier: PullRecord | undefined,
  options: PullOptions,
): Promise<{ readonly source: RemoteSource; readonly gathered: Awaited<ReturnType<typeof fetchSource>> }> {
  const { name, sources } = item;
  const { log, signal, wait, wheel, progress = SILENT } = options;
  const http = new Http({ hubOrigin: new URL(hubUrl()).origin, token: findToken(), signal, log, wait });
  const failures: UserError[] = [];
  for (const source of sources) {
    log(announcement(item, source));
    try {
      const commit = earlier?.source === originOf(source) ? (earlier.commit ?? undefined) : undefined;
      const gathered = await fetchSource(item, source, { name, http, log, progress, commit, wheel });
      return { source, gathered };
    } catch (error) {
      if (!(error instanceof UserError) || isOfDisk(error.cause)) throw error;
      failures.push(error);
      if (sources.length > 1) log(`not from ${originOf(source)}: ${error.message}`);
    }
  }
  throw failureOf(name, item, failures);
}

function announcement({ title, licence }: Pullable, source: RemoteSource): string {
  const size = source.kind === 'site' ? source.bytes : source.downloadBytes;
  const about = [
    ...(size === undefined ? [] : [sizeText(size)]),
    ...(source.kind === 'site' || source.weights === undefined ? [] : [`${source.weights} weights`]),
    `from ${originOf(source)}`,
  ];
  return [title, ...(licence === undefined ? [] : [`licence: ${licence}`]), ...about].join(', ');
}

/** A fault of the disk, not of the network: another source would need the same disk. */
function isOfDisk(error: unknown): boolean {
  const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall !== undefined && DISK_CALLS.includes(syscall);
}

const DISK_CALLS = [
  ...[
    'open',
    'read',
    'write',
    'close',
    'fsync',
    'ftruncate',
    'mkdir',
    'rename',
    'rm',
    'rmdir',
    'unlink',
    'scandir',
  ],
  ...['stat', 'copyfile', 'mkdtemp'],
];

function failureOf(name: string, { byHand }: Pullable, failures: readonly UserError[]): UserError {
  const [only] = failures;
  if (failures.length === 1) {
    return new UserError(only!.message, {
      ...(only!.place === undefined ? {} : { place: only!.place }),
      hint: only!.hint ?? `What has arrived is kept: spark-eval pull ${name} goes on. ${byHand}`,
      exitCode: only!.exitCode,
      cause: only!,
    });
  }
  const lines = failures.map((failure) => `  ${failure.format()}`).join('\n');
  return new UserError(`no source of ${name} could be used:\n${lines}`, { hint: byHand });
}

const SILENT: PullProgress = {
  start: () => undefined,
  advance: () => undefined,
  stop: () => undefined,
};
