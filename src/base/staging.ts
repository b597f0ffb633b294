/**
 * Folders of the cache, which appear only when they are finished.
 *
 * A folder is made beside its final place and moved there in one step, so that a killed process leaves no half of one.
 */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OTHER_CACHE } from './cache-folder.js';
import { diskError, makeFolders } from './disk.js';
import { isGone } from './processes.js';

/**
 * Fills a staging folder beside `folder` and renames it to `folder`, replacing what was there. Where `fill` throws,
 * `folder` stays as it was and the staging folder is removed. Returns what `fill` returns.
 */
export async function replaceFolder<T>(folder: string, fill: (staging: string) => Promise<T>): Promise<T> {
  makeFolders(dirname(folder), 'create the folder', OTHER_CACHE);
  await removeAbandoned(folder);
  const staging = await mkdtemp(`${folder}.staging-${process.pid}-`).catch((error: unknown) => {
    throw diskError(error, folder, 'create the folder', OTHER_CACHE);
  });
  try {
    const result = await fill(staging);
    await putInPlace(staging, folder);
    return result;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Renames `made` to `folder`. What was there is moved aside first and then deleted: no half of it is ever there. */
export async function putInPlace(made: string, folder: string): Promise<void> {
  const aside = `${folder}.staging-${process.pid}-old`;
  await rm(aside, { recursive: true, force: true });
  try {
    await rename(folder, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rename(made, folder);
  await rm(aside, { recursive: true, force: true });
}

/** Deletes what processes that no longer run have left beside `folder`. */
export async function removeAbandoned(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.staging-`;
  const names = await readdir(dirname(folder)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    // A program that the process started may still be writing.
    const options = { recursive: true, force: true, maxRetries: 5 };
    const isNoId = (pid | 0) !== pid;
    if (isNoId || isGone(pid)) await rm(join(dirname(folder), name), options);
  }
}
