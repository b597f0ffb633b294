/**
 * Reading untrusted JSON files and checking them against a schema.
 *
 * Size and nesting are bounded before parsing, and a fault names the field.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type * as z from 'zod';
import { readFault } from './disk.js';
import { UserError } from './errors.js';
import { violations } from './violations.js';

/** Bytes; the largest tokenizer.json files in use have about 35 MB. */
const LARGEST_JSON = 256 * 2 ** 20;

/** Deeper than any file that is read; what walks through one may recurse. */
const DEEPEST_JSON = 100;

const DAMAGED =
  'The file may be damaged, cut, or of another kind: put one in its place that is whole, or fetch it again.';

/** Text of a file. Throws UserError where it is missing or absurdly large. */
export function readTextFile(path: string): string {
  if (!existsSync(path)) throw new UserError('is missing', { place: path });
  try {
    const { size } = statSync(path);
    if (size > LARGEST_JSON) throw new UserError(`is too large: ${size} bytes`, { place: path });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot be read: ${readFault(error)}`, { place: path, cause: error });
  }
}

/** The parsed JSON of a file. */
export function readJsonFile(path: string): unknown {
  return parseJson(readTextFile(path), path);
}

/** Throws UserError where the text is not JSON, or nested too deeply. */
export function parseJson(text: string, place: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`is not valid JSON: ${(cause as Error).message}`, { place, hint: DAMAGED, cause });
  }
  if (isDeep(value)) throw new UserError(`is nested more than ${DEEPEST_JSON} levels deep`, { place });
  return value;
}

/** Whether parsed JSON has so many levels that a function which calls itself for each might run out of stack. */
export function isDeep(value: unknown): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === DEEPEST_JSON) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `value` as the schema describes it; throws one UserError that says what is wrong with it. */
export function validate<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(violations(schema, value, result.error), { place, hint: DAMAGED });
}
