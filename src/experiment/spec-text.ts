/**
 * The text of a spec: a file, one that ships with the package, or standard input.
 *
 * `experiments/…` names a file of this package where the user has none, so that it can be run from any folder.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, normalize, sep } from 'node:path';
import { UserError } from '../base/errors.js';
import { PACKAGE_FOLDER } from '../base/package.js';

/** Names standard input on the command line, and in errors. */
export const STANDARD_INPUT = '-';
export const STANDARD_INPUT_NAME = 'standard input';

const SHIPPED = 'experiments';
const MAX_FILE_BYTES = 2 ** 17;

/** The path of a spec: the user's own file first. */
export function locate(file: string): string {
  const shipped = normalize(file).startsWith(SHIPPED + sep) && !existsSync(file);
  return shipped ? join(PACKAGE_FOLDER, file) : file;
}

/** Of a file. Throws UserError (exit code 2) where it cannot be read or is too large. */
export function readText(file: string): string {
  const fail = (message: string, hint?: string): never => {
    throw new UserError(message, { place: file, exitCode: 2, ...(hint === undefined ? {} : { hint }) });
  };
  const path = locate(file);
  let size: number;
  let bytes: Buffer;
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return fail('expected a spec file, got a folder');
    size = stats.size;
    if (size > MAX_FILE_BYTES) return fail(`expected at most ${MAX_FILE_BYTES} bytes, got ${size}`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      const shipped = `those that ship with the package are in ${join(PACKAGE_FOLDER, SHIPPED)}`;
      return fail(
        'no such file',
        `Specs like ${SHIPPED}/quickstart.yaml can be named from anywhere: ${shipped}.`,
      );
    }
    return fail(`cannot be read (${code ?? String(error)})`);
  }
  return decode(bytes, file);
}

/** Of standard input, once. Throws UserError as `readText` does. */
export function readStandardInput(): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(0);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new UserError(`cannot be read (${code})`, {
      place: STANDARD_INPUT_NAME,
      hint: 'Send a spec to it: spark-eval run - < my.yaml.',
      exitCode: 2,
      cause,
    });
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw new UserError(`expected at most ${MAX_FILE_BYTES} bytes, got ${bytes.length}`, {
      place: STANDARD_INPUT_NAME,
      exitCode: 2,
    });
  }
  return decode(bytes, STANDARD_INPUT_NAME);
}

function decode(bytes: Uint8Array, place: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UserError('expected UTF-8 text, got other bytes', { place, exitCode: 2 });
  }
}
