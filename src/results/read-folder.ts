/**
 * A result folder as those read it who do not write to it.
 *
 * Readers take no lock and change nothing.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { RESULT_FILES } from './folder.js';
import { type JournalContent, readJournal } from './journal.js';
import { readManifest } from './manifest.js';
import type { Manifest } from './types.js';

const HINT = 'Expected a folder that spark-eval run has written (output: of the spec).';

/** Throws UserError (exit code 2) where there is no folder. */
export function expectFolder(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UserError('no such folder', { place: path, hint: HINT, exitCode: 2 });
  if (!found.isDirectory()) {
    throw new UserError('expected a result folder, found a file', { place: path, hint: HINT, exitCode: 2 });
  }
}

/** Throws UserError where the path is no result folder, or a file of it is damaged. */
export function readResultFolder(path: string): {
  readonly manifest: Manifest;
  readonly content: JournalContent;
} {
  expectFolder(path);
  const manifest = readManifest(join(path, RESULT_FILES.manifest));
  if (manifest === undefined) {
    throw new UserError(`holds no ${RESULT_FILES.manifest}`, { place: path, hint: HINT, exitCode: 2 });
  }
  const journal = join(path, RESULT_FILES.journal);
  if (!existsSync(journal)) {
    throw new UserError(`holds no ${RESULT_FILES.journal}, only its manifest`, {
      place: path,
      hint: 'The tables are made from the journal; run the spec again, or copy the whole folder.',
    });
  }
  return { manifest, content: readJournal(journal) };
}
