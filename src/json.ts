/**
 * Reading untrusted JSON files and checking them against a schema.
 *
 * Decides the size limit and how a schema violation reads. Knows nothing of what the files mean.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type * as z from 'zod';
import { UserError } from './errors.js';

/** Bytes; the largest tokenizer.json files in use have about 35 MB. */
const LARGEST_JSON = 256 * 2 ** 20;

/** Text of a file. Throws UserError where it is missing or absurdly large. */
export function readTextFile(path: string): string {
  if (!existsSync(path)) throw new UserError('is missing', { place: path });
  const { size } = statSync(path);
  if (size > LARGEST_JSON) throw new UserError(`is too large: ${size} bytes`, { place: path });
  return readFileSync(path, 'utf8');
}

/** The parsed JSON of a file. */
export function readJsonFile(path: string): unknown {
  return parseJson(readTextFile(path), path);
}

export function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError(`is not valid JSON: ${(cause as Error).message}`, { place, cause });
  }
}

/** `value` as the schema describes it; throws one UserError that lists every violation. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const shown = result.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  const more = result.error.issues.length - shown.length;
  throw new UserError(shown.join('; ') + (more > 0 ? `; and ${more} more` : ''), { place });
}
