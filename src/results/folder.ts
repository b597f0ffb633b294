/**
 * A result folder: journal, manifest and tables of one spec on one engine.
 *
 * Decides when a folder may be continued: by the same spec on the same engine, by one run at a time. Knows nothing
 * of how results come about.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { accuracyCsv } from './accuracy.js';
import { collectResults } from './cell-results.js';
import { fileError, makeFolder, removeUnfinished, writeAtomically } from './files.js';
import { Journal, type JournalContent, readJournal, recordKey } from './journal.js';
import { type FolderLock, hasLock, lockFolder } from './lock.js';
import { describeDifferences, readManifest, writeManifest } from './manifest.js';
import { memoryCsv } from './memory.js';
import type { CellInfo, Manifest, SampleRecord } from './types.js';

export const RESULT_FILES = {
  journal: 'journal.jsonl',
  manifest: 'manifest.json',
  accuracy: 'accuracy.csv',
  memory: 'memory.csv',
} as const;

/** Who wants to use the folder. */
export interface FolderUser {
  /** The resolved spec, and its hash. */
  readonly spec: unknown;
  readonly specHash: string;
  /** Undefined where it does not matter (reading). */
  readonly engine?: string | undefined;
  /** The form of the kernels, one of the engine's versions; undefined where it does not matter. */
  readonly kernels?: string | undefined;
}

export interface OpenOptions extends FolderUser {
  readonly engine: string;
  /** Remove the results that are there. */
  readonly fresh: boolean;
}

/** What a folder holds, read without a lock and without changing anything. Throws UserError where it is not the user's. */
export function inspectFolder(
  path: string,
  user: FolderUser,
): { manifest: Manifest | undefined; records: readonly SampleRecord[] } {
  const content = readJournal(join(path, RESULT_FILES.journal));
  return { manifest: checkOwner(path, user, content), records: content.records };
}

/** Clears away what a run that was killed at its very end has left; nothing where another run is at work. */
export function tidyFolder(path: string): void {
  try {
    if (!hasLock(path)) return;
    const lock = lockFolder(path);
    removeUnfinished(path, Object.values(RESULT_FILES));
    lock.release();
  } catch (error) {
    // What must not be written to is left as it is: nothing hangs on it.
    if (!(error instanceof UserError)) throw error;
  }
}

/** A result folder open for one run. */
export class ResultFolder {
  private readonly finished: Map<string, SampleRecord>;

  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
    private readonly journal: Journal,
    /** Of an earlier run of the same spec; undefined in a new folder. */
    readonly earlier: Manifest | undefined,
    records: readonly SampleRecord[],
    /** What was mended while opening, in words. */
    readonly warnings: readonly string[],
  ) {
    this.finished = new Map(records.map((record) => [recordKey(record.cell, record.sample), record]));
  }

  /**
   * Opens or makes a folder and takes its lock.
   *
   * Throws UserError where the folder belongs to another spec or engine, another run holds it, it cannot be
   * written, or its journal is damaged elsewhere than in a torn last line.
   */
  static open(path: string, options: OpenOptions): ResultFolder {
    makeFolder(path);
    const lock = lockFolder(path);
    try {
      removeUnfinished(path, Object.values(RESULT_FILES));
      if (options.fresh) removeResults(path);
      const file = join(path, RESULT_FILES.journal);
      const content = readJournal(file);
      const earlier = checkOwner(path, options, content);
      const journal = Journal.open(file, content);
      const warnings =
        content.tornBytes === 0
          ? []
          : [`${file}: dropped a torn last line (${content.tornBytes} bytes); its sample is computed again`];
      return new ResultFolder(path, lock, journal, earlier, content.records, warnings);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Every record of the folder, those of stale cells included. */
  get records(): SampleRecord[] {
    return [...this.finished.values()];
  }

  has(cell: string, sample: number): boolean {
    return this.finished.has(recordKey(cell, sample));
  }

  /** Says whose results follow. Must be called before the first `append`. */
  begin(manifest: Manifest): void {
    writeManifest(join(this.path, RESULT_FILES.manifest), manifest);
  }

  /** Writes a record and waits until it is on the disk; a record that is there already is left as it is. */
  append(record: SampleRecord): void {
    if (this.has(record.cell, record.sample)) return;
    this.journal.append(record);
    this.finished.set(recordKey(record.cell, record.sample), record);
  }

  /** Writes the tables, but for a shard, and the manifest, which is complete if its `finishedAt` is set. */
  finish(cells: readonly CellInfo[], manifest: Manifest): void {
    if (manifest.shard === undefined) writeTables(this.path, cells, this.finished.values());
    writeManifest(join(this.path, RESULT_FILES.manifest), manifest);
  }

  close(): void {
    this.journal.close();
    this.lock.release();
  }
}

/** Writes accuracy.csv and memory.csv. */
export function writeTables(path: string, cells: readonly CellInfo[], records: Iterable<SampleRecord>): void {
  const results = collectResults(cells, records);
  writeAtomically(join(path, RESULT_FILES.accuracy), accuracyCsv(results));
  writeAtomically(join(path, RESULT_FILES.memory), memoryCsv(results));
}

/** The manifest of the folder, if it is the user's or there is nothing in the folder to lose. */
function checkOwner(path: string, user: FolderUser, content: JournalContent): Manifest | undefined {
  if (content.records.length === 0 && content.tornBytes === 0) return tolerantManifest(path, user);
  const manifest = readManifest(join(path, RESULT_FILES.manifest));
  const refuse = (message: string): never => {
    throw new UserError(message, {
      place: path,
      hint: 'Choose another output folder (--set output=FOLDER), or start over: "spark-eval run" with --fresh removes what is there.',
    });
  };
  if (manifest === undefined) {
    return refuse(
      `the folder holds ${content.records.length} results but no ${RESULT_FILES.manifest} that says whose`,
    );
  }
  if (manifest.specHash !== user.specHash) {
    const differences = describeDifferences(manifest.spec, user.spec).map((line) => `\n    ${line}`);
    return refuse(`the folder holds results of another spec; then → now:${differences.join('')}`);
  }
  if (user.engine !== undefined && manifest.engine.name !== user.engine) {
    return refuse(
      `the folder holds results of the engine "${manifest.engine.name}", this run uses "${user.engine}"; one folder holds one engine's results`,
    );
  }
  const { kernels } = manifest.engine.versions;
  if (kernels !== undefined && user.kernels !== undefined && kernels !== user.kernels) {
    return refuse(
      `the folder holds results of the kernels "${kernels}", this run uses "${user.kernels}"; one folder holds those of one`,
    );
  }
  return manifest;
}

/** Without results a manifest of another run, or one that cannot be read, binds nobody. */
function tolerantManifest(path: string, user: FolderUser): Manifest | undefined {
  try {
    const manifest = readManifest(join(path, RESULT_FILES.manifest));
    return manifest?.specHash === user.specHash ? manifest : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function removeResults(path: string): void {
  for (const name of Object.values(RESULT_FILES)) {
    const file = join(path, name);
    try {
      if (existsSync(file)) rmSync(file);
    } catch (error) {
      throw fileError(error, file, 'remove');
    }
  }
}
