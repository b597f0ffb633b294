/**
 * Result folders of one run, joined into one.
 *
 * The records of the run's cells count, in the order of the cells; the tables are made when nothing is missing. Only the
 * output is written, a file at a time, so that a merge that was killed can be run again.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import { canonicalJson } from '../base/canonical-json.js';
import { makeFolder, removeUnfinished, writeAtomically } from '../results/files.js';
import { RESULT_FILES, writeTables } from '../results/folder.js';
import { continued } from '../results/growth.js';
import {
  isInapplicable,
  type JournalContent,
  journalLine,
  readJournal,
  recordKey,
  sorted,
} from '../results/journal.js';
import { lockFolder } from '../results/lock.js';
import { describeDifferences, writeManifest } from '../results/manifest.js';
import { readResultFolder } from '../results/read-folder.js';
import type {
  CellInfo,
  Inapplicable,
  JournalEntry,
  Manifest,
  MergedPart,
  SampleRecord,
} from '../results/types.js';
import { differentSurroundings, folderOfRun, type Owned } from './mergeable.js';
import { type Gap, gapsOf } from './merge-gaps.js';
import { SHARDS_FOLDER } from '../experiment/shard.js';

export interface MergeOutcome {
  readonly cells: readonly CellInfo[];
  /** Of these cells, in their order, then by sample. */
  readonly records: readonly SampleRecord[];
  /** Samples of these cells that pipelines cannot be applied to. */
  readonly inapplicable: readonly Inapplicable[];
  /** Of the cells of which samples are missing; none: the output is finished. */
  readonly gaps: readonly Gap[];
  /** How many shards there are, where every folder is one of so many. */
  readonly shards: number | undefined;
  /** What the user should know, a sentence each. */
  readonly notes: readonly string[];
}

interface Source extends Owned {
  readonly entries: readonly JournalEntry[];
  readonly tornBytes: number;
}

/** The folder above `shards`, where all folders are in one. Throws UserError (exit code 2) otherwise. */
export function defaultOutput(folders: readonly string[]): string {
  const parents = new Set(folders.map((folder) => dirname(resolve(folder))));
  const [parent] = parents;
  if (parent !== undefined && parents.size === 1 && basename(parent) === SHARDS_FOLDER)
    return dirname(parent);
  throw new UserError(`expected --output: the folders are not all in one folder "${SHARDS_FOLDER}"`, {
    hint: 'Name the folder that the results go to: --output FOLDER.',
    exitCode: 2,
  });
}

/**
 * Joins the folders, and what the output already holds, into the output.
 *
 * @throws UserError where the folders are not of one run, two of them answer a sample differently, a file is damaged, or
 * another run holds the output; nothing is written then
 */
export function mergeFolders(folders: readonly string[], output: string): MergeOutcome {
  const given = folders.map(readSource);
  folderOfRun(given);
  makeFolder(output);
  const lock = lockFolder(output);
  try {
    removeUnfinished(output, Object.values(RESULT_FILES));
    const own = given.find(({ path }) => realpathSync(path) === realpathSync(output)) ?? ownResults(output);
    const sources = own === undefined || given.includes(own) ? given : [...given, own];
    const { manifest } = folderOfRun(given, own);
    const isKnown = knownRecords(manifest.cells);
    const { entries, notes } = joinEntries(sources, manifest.cells, isKnown);
    const gaps = gapsOf(manifest.cells, entries);
    // Results of other cells, data or another program may still be wanted; a run keeps them, too.
    const others = own?.entries.filter((entry) => !isKnown(entry)) ?? [];
    write(output, {
      manifest: {
        ...continued(manifest, own?.manifest, others),
        shard: undefined,
        parts: partsOf(sources, output),
        finishedAt: null,
      },
      entries,
      others,
      complete: gaps.length === 0,
    });
    return {
      cells: manifest.cells,
      ...sorted(entries),
      gaps,
      shards: sharedCount(given),
      notes: [...differentSurroundings(sources), ...notes],
    };
  } finally {
    lock.release();
  }
}

function readSource(path: string): Source {
  const { manifest, content } = readResultFolder(path);
  return { path, manifest, entries: entriesOf(content), tornBytes: content.tornBytes };
}

/** The output itself as a source, where it holds results. */
function ownResults(output: string): Source | undefined {
  const entries = entriesOf(readJournal(join(output, RESULT_FILES.journal)));
  return entries.length === 0 ? undefined : readSource(output);
}

function entriesOf({ records, inapplicable }: JournalContent): JournalEntry[] {
  return [...records, ...inapplicable];
}

function sharedCount(folders: readonly Source[]): number | undefined {
  const counts = new Set(folders.map(({ manifest }) => manifest.shard?.count));
  return counts.size === 1 ? [...counts][0] : undefined;
}

/** Tells the records of the cells from those of others: of earlier data, or of another program. */
function knownRecords(cells: readonly CellInfo[]): (entry: JournalEntry) => boolean {
  const samplesOf = new Map<string, number>();
  for (const { key, samples } of cells) samplesOf.set(key, Math.max(samples, samplesOf.get(key) ?? 0));
  return ({ cell, sample }) => sample < (samplesOf.get(cell) ?? 0);
}

interface Found {
  readonly entry: JournalEntry;
  readonly path: string;
}

/** Every entry of the cells once, the first of each; in the order of the cells, then by sample. */
function joinEntries(
  sources: readonly Source[],
  cells: readonly CellInfo[],
  isKnown: (entry: JournalEntry) => boolean,
): { entries: JournalEntry[]; notes: string[] } {
  const found = new Map<string, Found>();
  const notes: string[] = [];
  for (const { path, entries, tornBytes } of sources) {
    const known = entries.filter(isKnown);
    for (const entry of known) {
      const key = recordKey(entry.cell, entry.sample);
      const first = found.get(key);
      if (first === undefined) found.set(key, { entry, path });
      else expectSameAnswer(first, { entry, path }, cells);
    }
    const others = entries.length - known.length;
    if (others > 0)
      notes.push(`${path}: left out ${others} results of cells that the spec does not have today`);
    if (tornBytes > 0) notes.push(`${path}: left out a torn last line (${tornBytes} bytes)`);
  }
  const order = new Map(cells.map(({ key }, index) => [key, index]));
  const entries = [...found.values()].map(({ entry }) => entry);
  entries.sort((a, b) => order.get(a.cell)! - order.get(b.cell)! || a.sample - b.sample);
  return { entries, notes };
}

/** Two records of the same sample may differ in times and memory only. */
function expectSameAnswer(first: Found, second: Found, cells: readonly CellInfo[]): void {
  const [before, after] = [withoutTimes(first.entry), withoutTimes(second.entry)];
  if (canonicalJson(before) === canonicalJson(after)) return;
  const { cell: key, sample } = first.entry;
  const cell = cells.find((info) => info.key === key)!;
  const lines = describeDifferences(before, after).map((line) => `\n    ${line}`);
  throw new UserError(
    `sample ${sample} of ${cell.pipeline} on ${cell.task}, context ${cell.context}, has two answers (cell ${key}):${lines.join('')}`,
    {
      place: `${first.path} and ${second.path}`,
      hint: 'On one engine every sample has one answer. Find out what was different, or leave out one of the folders.',
    },
  );
}

function withoutTimes(entry: JournalEntry): JournalEntry {
  return isInapplicable(entry)
    ? entry
    : { ...entry, prefillSeconds: 0, compressSeconds: 0, decodeSeconds: 0, peakRssBytes: 0 };
}

/** Every folder that results came from, those of earlier merges included. */
function partsOf(sources: readonly Source[], output: string): MergedPart[] {
  const parts = new Map<string, MergedPart>();
  for (const { path, manifest } of sources) {
    const { git, node, platform, cpu, memoryBytes, startedAt, finishedAt } = manifest;
    const own = { folder: '', git, node, platform, cpu, memoryBytes, startedAt, finishedAt };
    for (const part of manifest.parts ?? [own]) {
      const folder = relative(output, resolve(path, part.folder)) || '.';
      if (!parts.has(folder)) parts.set(folder, { ...part, folder });
    }
  }
  return [...parts.values()];
}

interface Merged {
  readonly manifest: Manifest;
  readonly entries: readonly JournalEntry[];
  readonly others: readonly JournalEntry[];
  readonly complete: boolean;
}

/** The manifest comes first: a journal without one would be nobody's. */
function write(output: string, { manifest, entries, others, complete }: Merged): void {
  const file = join(output, RESULT_FILES.manifest);
  writeManifest(file, manifest);
  writeAtomically(join(output, RESULT_FILES.journal), [...entries, ...others].map(journalLine));
  if (!complete) return;
  writeTables(output, manifest, sorted(entries));
  writeManifest(file, { ...manifest, finishedAt: new Date().toISOString() });
}
