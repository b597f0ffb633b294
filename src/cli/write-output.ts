/**
 * Files that a command makes for people: plots, pages.
 *
 * Decides how a place that cannot be written reads as an error.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../errors.js';

/** Writes a file and the folders above it. Throws UserError where that cannot be. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  } catch (error) {
    throw new UserError(`cannot write: ${(error as Error).message}`, {
      place: path,
      hint: 'Choose another place with --output.',
      cause: error,
    });
  }
}
