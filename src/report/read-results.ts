/**
 * Result folders as they are read by tables, plots and reports.
 *
 * What two folders say differently is an error, because no average over them means anything.
 */
import { UserError } from '../base/errors.js';
import { type CellResult, collectResults, groupIdentity } from '../results/cell-results.js';
import { recordKey } from '../results/journal.js';
import { readResultFolder } from '../results/read-folder.js';
import type { CellInfo, Inapplicable, Manifest, SampleRecord } from '../results/types.js';

export interface ReadFolder {
  readonly path: string;
  readonly manifest: Manifest;
  /** Bytes of a torn last line, which is left out; 0 where there is none. */
  readonly tornBytes: number;
}

export interface ReadResults {
  readonly folders: readonly ReadFolder[];
  /** Every cell of every manifest once, in their order; records of other cells (stale ones) are left out. */
  readonly results: readonly CellResult[];
}

/**
 * Reads one folder or several.
 *
 * @throws UserError where a path is no result folder, a file of it is damaged, or two folders contradict each other
 */
export function readResults(paths: readonly string[]): ReadResults {
  const folders: ReadFolder[] = [];
  const cells = new Map<string, { readonly cell: CellInfo; readonly path: string }>();
  const records = new Map<string, SampleRecord>();
  const inapplicable = new Map<string, Inapplicable>();
  for (const path of paths) {
    const { manifest, content } = readResultFolder(path);
    folders.push({ path, manifest, tornBytes: content.tornBytes });
    for (const cell of manifest.cells) addCell(cells, cell, path);
    for (const record of content.records) addRecord(records, record, path);
    for (const entry of content.inapplicable) inapplicable.set(recordKey(entry.cell, entry.sample), entry);
  }
  expectOneKeyEach([...cells.values()]);
  const all = [...cells.values()].map(({ cell }) => cell);
  // What one folder has an answer to is told by that, whatever another says.
  const left = [...inapplicable].filter(([key]) => !records.has(key)).map(([, entry]) => entry);
  return { folders, results: collectResults(all, records.values(), left) };
}

/** Of two requests for the same cell, the one with more samples stays. */
function addCell(cells: Map<string, { cell: CellInfo; path: string }>, cell: CellInfo, path: string): void {
  const known = cells.get(cell.key);
  if (known === undefined || known.cell.samples < cell.samples) cells.set(cell.key, { cell, path });
}

function addRecord(records: Map<string, SampleRecord>, record: SampleRecord, path: string): void {
  const key = recordKey(record.cell, record.sample);
  const known = records.get(key);
  if (known === undefined) {
    records.set(key, record);
    return;
  }
  if (known.score !== record.score || known.prediction !== record.prediction) {
    throw new UserError(
      `sample ${record.sample} of cell ${record.cell} has another answer here than in a folder before it`,
      { place: path, hint: 'The folders are of different engines or machines; give one of them.' },
    );
  }
}

/** The same name under two keys: other weights, data or versions, which nothing in a table would show. */
function expectOneKeyEach(cells: readonly { readonly cell: CellInfo; readonly path: string }[]): void {
  const seen = new Map<string, { readonly cell: CellInfo; readonly path: string }>();
  for (const entry of cells) {
    const { cell, path } = entry;
    const identity = `${groupIdentity(cell)} ${cell.pipeline}`;
    const other = seen.get(identity);
    if (other !== undefined) {
      throw new UserError(
        `${cell.pipeline} on ${cell.task}, context ${cell.context}, is there twice, and not the same (cells ${other.cell.key} and ${cell.key})`,
        {
          place: other.path === path ? path : `${other.path} and ${path}`,
          hint: 'Weights, data, number format, max_context or program version differ between them; give one of the folders.',
        },
      );
    }
    seen.set(identity, entry);
  }
}
