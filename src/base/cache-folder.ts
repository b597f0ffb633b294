/**
 * Where downloads are kept between runs.
 *
 * `SPARK_EVAL_CACHE` wins over the platform's own cache folder, so that a cluster can share one.
 */
import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** What helps where the cache folder cannot be written. */
export const OTHER_CACHE = 'The environment variable SPARK_EVAL_CACHE names another cache folder.';

/** Absolute path of the cache root; the folder need not exist yet. */
export function cacheFolder(): string {
  const override = process.env['SPARK_EVAL_CACHE'];
  return override === undefined || override === ''
    ? envPaths('spark-eval', { suffix: '' }).cache
    : resolve(override);
}
