/**
 * Where a data set's files lie: in the folder that the spec names, else where `spark-eval pull` keeps them.
 *
 * Also the parameters that tasks on files share, the digest of what they read, and what is said where files are missing.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { dataSetFolder } from '../../pull/data-sets.js';
import type { DataFiles } from './data-files.js';
import type { RecordFile } from './record-file.js';
import { newTokens } from './row-fields.js';
import type { IgnoredField } from '../types.js';

/** Of a task whose samples are the rows of a file. */
export const ROWS_IGNORE: readonly IgnoredField[] = ['context', 'seed'];

export function dataFolder(dataset: string, folder: string | undefined): string {
  return folder ?? dataSetFolder(dataset);
}

/** A file of records of a data set. Throws UserError where it cannot be read, saying how it comes there. */
export function openRecords(
  files: DataFiles,
  dataset: string,
  folder: string | undefined,
  file: string,
): RecordFile {
  return files.records(join(dataFolder(dataset, folder), file), pullHint(dataset, 'folder'));
}

export function pullHint(dataset: string, parameter: string): string {
  return `spark-eval pull ${dataset} fetches it; a copy that lies elsewhere can be named with ${parameter}:.`;
}

export function folderParam(content: string, dataset: string) {
  return z
    .string()
    .min(1)
    .optional()
    .describe(`path of a folder with ${content}; where not given, what spark-eval pull ${dataset} fetched`);
}

export function newTokensParam(otherwise: string) {
  return newTokens.optional().describe(`tokens to generate at most; where not given, ${otherwise}`);
}

/** Digest of a loader's samples: of its version, to be raised whenever a row would give another sample, and its files. */
export function loaderDigest(version: string, ...fileDigests: readonly string[]): string {
  return createHash('sha256')
    .update([version, ...fileDigests].join('\n'))
    .digest('hex');
}

/** Digest of a generator's samples: of its version and the texts that it draws from. */
export function textDigest(files: DataFiles, version: string, paths: readonly string[]): string {
  return loaderDigest(version, ...paths.map((path) => files.text(path).digest));
}
