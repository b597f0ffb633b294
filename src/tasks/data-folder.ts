/**
 * Where a data set's files lie: in the folder that the spec names, else where `spark-eval pull` keeps them.
 *
 * Decides the parameters that these loaders share, the digest of what they read, and what is said where files are
 * missing.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { dataSetFolder } from '../data/catalogue.js';
import type { IgnoredField } from './types.js';

/** Of a task whose samples are the rows of a file. */
export const ROWS_IGNORE: readonly IgnoredField[] = ['context', 'seed'];

export function dataFolder(dataset: string, folder: string | undefined): string {
  return folder ?? dataSetFolder(dataset);
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
  return z
    .int()
    .min(1)
    .max(65_536)
    .optional()
    .describe(`tokens to generate at most; where not given, ${otherwise}`);
}

/** Digest of a loader's samples: of its version, to be raised whenever a row would give another sample, and its files. */
export function loaderDigest(version: string, ...fileDigests: readonly string[]): string {
  return createHash('sha256')
    .update([version, ...fileDigests].join('\n'))
    .digest('hex');
}
