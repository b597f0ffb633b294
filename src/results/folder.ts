/**
 * A result folder: journal, manifest and tables of a spec that may grow, on one engine.
 *
 * A folder is continued by one run at a time, and only where its records keep their meaning (`growth.ts`).
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../base/errors.js';
import { accuracyCsv } from './accuracy.js';
import { collectResults } from './cell-results.js';
import { changedFields, changedModels } from './growth.js';
import { fileError, makeFolder, removeUnfinished, writeAtomically } from './files.js';
import { Journal, type JournalContent, readJournal, recordKey, sorted } from './journal.js';
import { type FolderLock, hasLock, lockFolder } from './lock.js';
import { readManifest, writeManifest } from './manifest.js';
import { memoryCsv } from './memory.js';
import { resultsCsv } from './results-csv.js';
import type { CellInfo, Inapplicable, JournalEntry, Manifest, SampleRecord } from './types.js';

export const RESULT_FILES = {
  journal: 'journal.jsonl',
  manifest: 'manifest.json',
  accuracy: 'accuracy.csv',
  memory: 'memory.csv',
  results: 'results.csv',
  latency: 'latency.csv',
} as const;

/** Who wants to use the folder. What is undefined is not known, or does not matter (reading). */
export interface FolderUser {
  /** The resolved spec, and its hash. */
  readonly spec: unknown;
  readonly specHash: string;
  readonly engine?: string | undefined;
  /** The form of the kernels, one of the engine's versions. */
  readonly kernels?: string | undefined;
  /** `PROTOCOL_VERSION` of the prompts. */
  readonly protocol?: number | undefined;
  readonly models?: Manifest['models'] | undefined;
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
): { manifest: Manifest | undefined } & Pick<JournalContent, 'records' | 'inapplicable'> {
  const content = readJournal(join(path, RESULT_FILES.journal));
  const { records, inapplicable } = content;
  return { manifest: checkOwner(path, user, content), records, inapplicable };
}

/**
 * Clears away what a run that was killed at its very end has left, and makes the results.csv that versions before it did not
 * write; nothing where another run is at work.
 *
 * @param finished what the folder holds, where it has tables
 */
export function tidyFolder(
  path: string,
  finished?: { readonly manifest: Manifest } & Pick<JournalContent, 'records' | 'inapplicable'>,
): void {
  try {
    const lacksTable = finished !== undefined && !existsSync(join(path, RESULT_FILES.results));
    if (!lacksTable && !hasLock(path)) return;
    const lock = lockFolder(path);
    try {
      removeUnfinished(path, Object.values(RESULT_FILES));
      if (lacksTable) {
        const { manifest, records, inapplicable } = finished;
        const results = collectResults(manifest.cells, records, inapplicable);
        writeAtomically(join(path, RESULT_FILES.results), resultsCsv(results, manifest));
      }
    } finally {
      lock.release();
    }
  } catch (error) {
    // What must not be written to is left as it is: nothing hangs on it.
    if (!(error instanceof UserError)) throw error;
  }
}

/** A result folder open for one run. */
export class ResultFolder {
  private readonly finished: Map<string, JournalEntry>;

  private constructor(
    readonly path: string,
    private readonly lock: FolderLock,
    private readonly journal: Journal,
    /** Of the run before, which may have been of a smaller or a larger spec; undefined in a new folder. */
    readonly earlier: Manifest | undefined,
    entries: readonly JournalEntry[],
    /** What was mended while opening, in words. */
    readonly warnings: readonly string[],
  ) {
    this.finished = new Map(entries.map((entry) => [recordKey(entry.cell, entry.sample), entry]));
  }

  /**
   * Opens or makes a folder and takes its lock.
   *
   * Throws UserError where the folder's records would mean something else under this spec, engine or model, another run holds it, it cannot be
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
      const entries = [...content.records, ...content.inapplicable];
      return new ResultFolder(path, lock, journal, earlier, entries, warnings);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Every record of the folder, those of stale cells included. */
  get records(): readonly SampleRecord[] {
    return sorted(this.finished.values()).records;
  }

  /** Every (cell, sample) of the folder that a pipeline cannot be applied to. */
  get inapplicable(): readonly Inapplicable[] {
    return sorted(this.finished.values()).inapplicable;
  }

  has(cell: string, sample: number): boolean {
    return this.finished.has(recordKey(cell, sample));
  }

  /** Says whose results follow. Must be called before the first `append`. */
  begin(manifest: Manifest): void {
    writeManifest(join(this.path, RESULT_FILES.manifest), manifest);
  }

  /** Writes an entry and waits until it is on the disk; one that is there already is left as it is. */
  append(entry: JournalEntry): void {
    if (this.has(entry.cell, entry.sample)) return;
    this.journal.append(entry);
    this.finished.set(recordKey(entry.cell, entry.sample), entry);
  }

  /** Writes the tables, but for a shard, and the manifest, which is complete if its `finishedAt` is set. */
  finish(cells: readonly CellInfo[], manifest: Manifest): void {
    if (manifest.shard === undefined) {
      writeTables(this.path, { ...manifest, cells }, sorted(this.finished.values()));
    }
    writeManifest(join(this.path, RESULT_FILES.manifest), manifest);
  }

  /** Removes a latency.csv that is not of the spec that follows, or not of this machine. */
  dropLatency(): void {
    removeFile(join(this.path, RESULT_FILES.latency));
  }

  /** Writes latency.csv. */
  writeLatency(text: string): void {
    writeAtomically(join(this.path, RESULT_FILES.latency), text);
  }

  close(): void {
    this.journal.close();
    this.lock.release();
  }
}

/** Writes accuracy.csv, memory.csv and results.csv. */
export function writeTables(
  path: string,
  manifest: Manifest,
  { records, inapplicable }: Pick<JournalContent, 'records' | 'inapplicable'>,
): void {
  const results = collectResults(manifest.cells, records, inapplicable);
  writeAtomically(join(path, RESULT_FILES.accuracy), accuracyCsv(results));
  writeAtomically(join(path, RESULT_FILES.memory), memoryCsv(results));
  writeAtomically(join(path, RESULT_FILES.results), resultsCsv(results, manifest));
}

/** The manifest of the folder, if the user's spec may go on in it or there is nothing in the folder to lose. */
function checkOwner(path: string, user: FolderUser, content: JournalContent): Manifest | undefined {
  const held = content.records.length + content.inapplicable.length;
  if (held === 0 && content.tornBytes === 0) return tolerantManifest(path, user);
  const manifest = readManifest(join(path, RESULT_FILES.manifest));
  const refuse = (message: string): never => {
    throw new UserError(message, {
      place: path,
      hint: 'Choose another output folder (--output FOLDER), or start over: "spark-eval run" with --fresh removes what is there.',
    });
  };
  if (manifest === undefined) {
    return refuse(`the folder holds ${held} results but no ${RESULT_FILES.manifest} that says whose`);
  }
  const changed = changedFields(manifest.spec, user.spec);
  if (changed.length > 0) {
    return refuse(
      `the folder holds results of another spec; then → now:${indented(changed)}\n  Samples, tasks, contexts and pipelines may be added and left out, models, seeds and questions too while one stays.`,
    );
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
  const { protocol = 1 } = manifest;
  if (user.protocol !== undefined && protocol !== user.protocol) {
    return refuse(
      `the folder holds results of the prompt protocol ${protocol}, this run uses ${user.protocol}; one folder holds those of one`,
    );
  }
  const models = changedModels(manifest.models, user.models ?? []);
  if (models.length > 0) {
    return refuse(`the folder holds results of other model files; then → now:${indented(models)}`);
  }
  return manifest;
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `\n    ${line}`).join('');
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
  for (const name of Object.values(RESULT_FILES)) removeFile(join(path, name));
}

function removeFile(file: string): void {
  try {
    if (existsSync(file)) rmSync(file);
  } catch (error) {
    throw fileError(error, file, 'remove');
  }
}
