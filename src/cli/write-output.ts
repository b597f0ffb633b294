/**
 * Files that a command makes for people: plots, pages.
 *
 * A file is replaced as a whole, also at the end of a link; a device or a pipe is written to.
 */
import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, makeFolders, replaceFile } from '../base/disk.js';

const ELSEWHERE = 'Choose another place with --output.';

/** Writes a file and the folders above it. Throws UserError where that cannot be. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  makeFolders(dirname(path), 'create the folder', ELSEWHERE);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) replaceFile(path, content, ELSEWHERE);
    else if (found.isFile() || found.isDirectory()) replaceFile(realpathSync(path), content, ELSEWHERE);
    else writeFileSync(path, content);
  } catch (error) {
    throw diskError(error, path, 'write', ELSEWHERE);
  }
}
