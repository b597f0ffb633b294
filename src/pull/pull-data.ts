/**
 * `spark-eval pull DATASET`: fetches a named data set into the user's cache folder.
 *
 * A data set's folder appears only when it is complete. The first pull pins commit and digests; later ones must bring
 * the same.
 */
import { existsSync, readdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OTHER_CACHE } from '../base/cache-folder.js';
import { didYouMean } from '../base/did-you-mean.js';
import { makeFolders } from '../base/disk.js';
import { UserError } from '../base/errors.js';
import { putInPlace, removeAbandoned } from '../base/staging.js';
import { DATA_SET_NAMES, dataSetFolder, findDataSet, originOf, type DataSet } from './data-sets.js';
import { download } from './download.js';
import { missingFiles } from './locate-data.js';
import { digestDifference, digestFault, lockOf, readLock, sizeFault, writeLock } from './data-record.js';
import { downloadsOf, type Downloads } from './sources.js';
import { unzipFiles } from './unzip.js';

export interface PullDataOptions {
  /** Gets one line per step. */
  readonly log: (line: string) => void;
  /** Pull again and replace what is there. Default false. */
  readonly force?: boolean;
  /** Compare the digests, not only the sizes, of what is there. Default false. */
  readonly verify?: boolean;
}

/**
 * Makes a named data set present; returns its folder.
 *
 * @throws UserError for an unknown name, for files that differ from their digests, and where the source cannot be
 * reached, which then says where files can be put by hand
 */
export async function pullDataSet(name: string, options: PullDataOptions): Promise<string> {
  const dataset = findDataSet(name);
  if (dataset === undefined) {
    throw new UserError(`unknown data set "${name}".${didYouMean(name, DATA_SET_NAMES)}`, {
      hint: `Known: ${DATA_SET_NAMES.join(', ')}.`,
      exitCode: 2,
    });
  }
  const folder = dataSetFolder(name);
  await removeAbandoned(folder);
  if (options.force !== true && (await isPresent(dataset, folder, options))) return folder;
  try {
    await fetchInto(dataset, folder, options.log);
  } catch (error) {
    throw error instanceof UserError ? withHint(error, byHand(dataset, folder)) : error;
  }
  options.log(`pulled ${name} from ${originOf(dataset)}: ${folder}`);
  return folder;
}

async function isPresent(dataset: DataSet, folder: string, options: PullDataOptions): Promise<boolean> {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return false;
  const { name } = dataset;
  const { log } = options;
  const lock = readLock(folder);
  if (lock === undefined) {
    const missing = missingFiles(dataset, folder);
    if (missing.length === 0) {
      log(`${name} is there, put by hand: ${folder} (--force replaces it)`);
      return true;
    }
    throw new UserError(`holds files that were not pulled, but not ${missing.join(', ')}`, {
      place: folder,
      hint: `Add what is missing, or replace all: spark-eval pull ${name} --force`,
    });
  }
  const wrongSize = sizeFault(folder, lock);
  if (wrongSize !== undefined) {
    log(`${name} is damaged (${wrongSize}) and is pulled again`);
    return false;
  }
  const wrongDigest = options.verify === true ? await digestFault(folder, lock) : undefined;
  if (wrongDigest !== undefined) {
    throw new UserError(wrongDigest, { place: folder, hint: `spark-eval pull ${name} --force` });
  }
  const checked = options.verify === true ? 'digests' : 'sizes';
  log(`${name} is already there (${checked} checked), from ${lock.source}: ${folder}`);
  return true;
}

async function fetchInto(dataset: DataSet, folder: string, log: (line: string) => void): Promise<void> {
  const earlier = readLock(folder);
  log(`${dataset.title}, licence: ${dataset.licence}, from ${originOf(dataset)}`);
  const { revision, files } = await downloadsOf(dataset, earlier?.revision ?? null);
  const work = await workFolder(folder, revision);
  await fetchAll(files, work, log);
  await unpack(dataset, work, log);

  const about = { dataset: dataset.name, source: originOf(dataset), revision };
  const lock = await lockOf(work, about);
  const difference = earlier === undefined ? undefined : digestDifference(earlier, lock);
  if (difference !== undefined) {
    throw new UserError(`is not what the first pull brought: ${difference}`, {
      place: dataset.name,
      hint: `To take what the source has now, delete ${folder} first.`,
    });
  }
  await writeLock(work, lock);
  await putInPlace(work, folder);
}

/** Where files of one commit arrive; what is left of a pull of another commit is deleted. */
async function workFolder(folder: string, revision: string | null): Promise<string> {
  const work = `${folder}.part-${revision?.slice(0, 12) ?? 'site'}`;
  makeFolders(work, 'create the folder', OTHER_CACHE);
  for (const name of await readdir(dirname(folder))) {
    if (name.startsWith(`${basename(folder)}.part-`) && name !== basename(work)) {
      await rm(join(dirname(folder), name), { recursive: true });
    }
  }
  return work;
}

async function fetchAll(files: Downloads['files'], work: string, log: (line: string) => void): Promise<void> {
  const total = [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  log(`${megabytes(total)} in ${files.size === 1 ? 'one file' : `${files.size} files`}`);
  for (const [path, file] of files) {
    log(`  ${path} (${megabytes(file.bytes)})`);
    await download(file, join(work, path));
  }
}

async function unpack({ source, files }: DataSet, work: string, log: (line: string) => void): Promise<void> {
  if (source.kind !== 'hub' || source.archives === undefined) return;
  const found = new Set<string>();
  for (const archive of source.archives) {
    const path = join(work, archive);
    const unpacked = unzipFiles(path, work, files);
    log(`  ${archive}: unpacked ${unpacked.length === 1 ? 'one file' : `${unpacked.length} files`}`);
    for (const file of unpacked) found.add(file);
  }
  const missing = files.filter((file) => !found.has(file));
  if (missing.length > 0) {
    throw new UserError(`the archives of ${source.repository} have no ${missing.join(', ')}`, {
      place: source.repository,
    });
  }
  for (const archive of source.archives) await rm(join(work, archive));
}

function byHand({ name, files, source }: DataSet, folder: string): string {
  const what = files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} … (${files.length})`;
  const from = source.kind === 'hub' ? `the hub's data set ${source.repository}` : source.url;
  return `What has arrived is kept: spark-eval pull ${name} goes on. Or put the files of ${from} into ${folder} by hand: ${what}  (spark-eval show ${name})`;
}

function withHint(error: UserError, hint: string): UserError {
  return new UserError(error.message, {
    ...(error.place === undefined ? {} : { place: error.place }),
    hint: error.hint ?? hint,
    exitCode: error.exitCode,
    cause: error,
  });
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
