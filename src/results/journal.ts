/**
 * The journal: one JSON line per finished (cell, sample), appended and synced. The only source of truth.
 *
 * Whole lines survive a crash, a torn last line is dropped, and anything else that cannot be read is refused.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import type * as z from 'zod';
import { UserError } from '../base/errors.js';
import { violations } from '../base/violations.js';
import { fileError } from './files.js';
import { inapplicable, sampleRecord } from './record-schema.js';
import { FORMAT_VERSION, type Inapplicable, type JournalEntry, type SampleRecord } from './types.js';

const NEWLINE = 10;

export interface JournalContent {
  /** Without duplicates: of two lines of the same (cell, sample) the first stays. */
  readonly records: readonly SampleRecord[];
  /** Samples that pipelines cannot be applied to. */
  readonly inapplicable: readonly Inapplicable[];
  /** Length of the whole lines, bytes. */
  readonly wholeBytes: number;
  /** Length of a torn last line, bytes; 0 where there is none. */
  readonly tornBytes: number;
}

/** Identifies a record. */
export function recordKey(cell: string, sample: number): string {
  return `${cell}/${sample}`;
}

/** An entry as the journal holds it, its newline included. */
export function journalLine(entry: JournalEntry): string {
  return `${JSON.stringify(isInapplicable(entry) ? inapplicable.parse(entry) : sampleRecord.parse(entry))}\n`;
}

export function isInapplicable(entry: JournalEntry): entry is Inapplicable {
  return 'inapplicable' in entry;
}

/** Reads a journal without changing it; a file that is not there holds nothing. */
export function readJournal(path: string): JournalContent {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const nothing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (nothing) return { records: [], inapplicable: [], wholeBytes: 0, tornBytes: 0 };
    throw fileError(error, path, 'read');
  }
  const entries = new Map<string, JournalEntry>();
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end < 0) break;
    const entry = parseLine(bytes.subarray(start, end), path, line);
    const key = recordKey(entry.cell, entry.sample);
    if (!entries.has(key)) entries.set(key, entry);
    start = end + 1;
  }
  return { ...sorted(entries.values()), wholeBytes: start, tornBytes: bytes.length - start };
}

/** Entries by their kind, in their order. */
export function sorted(entries: Iterable<JournalEntry>): Pick<JournalContent, 'records' | 'inapplicable'> {
  const records: SampleRecord[] = [];
  const inapplicable: Inapplicable[] = [];
  for (const entry of entries) {
    if (isInapplicable(entry)) inapplicable.push(entry);
    else records.push(entry);
  }
  return { records, inapplicable };
}

/** A journal open for appending; only the holder of the folder's lock may have one. */
export class Journal {
  private constructor(
    readonly path: string,
    private readonly file: number,
    private length: number,
  ) {}

  /** Opens or makes a journal whose `content` has just been read; cuts a torn last line off. */
  static open(path: string, content: JournalContent): Journal {
    let file: number | undefined;
    try {
      file = openSync(path, constants.O_RDWR | constants.O_CREAT);
      if (content.tornBytes > 0) {
        ftruncateSync(file, content.wholeBytes);
        fsyncSync(file);
      }
      return new Journal(path, file, content.wholeBytes);
    } catch (error) {
      if (file !== undefined) closeSync(file);
      throw fileError(error, path, 'open the journal');
    }
  }

  /** Writes one line and waits until it is on the disk. A line that could not be written leaves no trace. */
  append(entry: JournalEntry): void {
    const bytes = Buffer.from(journalLine(entry), 'utf8');
    try {
      this.expectInPlace();
      for (let written = 0; written < bytes.length;) {
        written += writeSync(this.file, bytes, written, bytes.length - written, this.length + written);
      }
      fsyncSync(this.file);
      this.length += bytes.length;
    } catch (error) {
      this.cutBack();
      throw fileError(error, this.path, 'append to the journal');
    }
  }

  close(): void {
    closeSync(this.file);
  }

  /** Throws UserError where the folder was removed or moved: what is written now would go with it. */
  private expectInPlace(): void {
    const found = statSync(this.path, { throwIfNoEntry: false });
    const mine = fstatSync(this.file);
    if (found?.ino === mine.ino && found.dev === mine.dev) return;
    throw new UserError('the journal is no longer in its place: the folder was removed, moved or replaced', {
      place: this.path,
      hint: 'Put it back and run the same command again: what it holds is kept. Without it, the run starts over.',
    });
  }

  /** Where even that fails, the next run finds a torn line and drops it. */
  private cutBack(): void {
    try {
      ftruncateSync(this.file, this.length);
    } catch {
      return;
    }
  }
}

function parseLine(bytes: Uint8Array, path: string, line: number): JournalEntry {
  const refuse = (found: string): never => {
    throw new UserError(`not a result record: ${found}`, {
      place: `${path}:${line}`,
      hint: 'The journal was damaged or edited. Remove that line, and "spark-eval run" computes its sample again; with --fresh it starts over.',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return refuse('expected one line of JSON');
  }
  const format =
    typeof value === 'object' && value !== null ? (value as { format?: unknown }).format : undefined;
  if (typeof format === 'number' && format !== FORMAT_VERSION) {
    return refuse(`expected format ${FORMAT_VERSION}, got format ${format} (another version of spark-eval)`);
  }
  const isOther = typeof value === 'object' && value !== null && 'inapplicable' in value;
  const schema: z.ZodType<JournalEntry> = isOther ? inapplicable : sampleRecord;
  const entry = schema.safeParse(value);
  return entry.success ? entry.data : refuse(violations(schema, value, entry.error));
}
