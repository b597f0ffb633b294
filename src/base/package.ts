/**
 * This package on disk: its folder, the files that ship with it, its version.
 *
 * One place knows how deep a module lies below package.json, in the sources and in the bundle alike.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const PACKAGE_FOLDER = fileURLToPath(new URL('../..', import.meta.url));

/** Path of a file of the package, e.g. `datasets/words/nouns.txt`. */
export function packageFile(...names: readonly string[]): string {
  return join(PACKAGE_FOLDER, ...names);
}

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
