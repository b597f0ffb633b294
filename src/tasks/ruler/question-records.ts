/**
 * The records of a file of questions, in whichever form it was saved: JSON, JSON lines or Parquet.
 *
 * Authors publish one JSON; the hub has Parquet, and its tools write JSON lines, arrays of rows, or what its viewer sends.
 */
import { existsSync } from 'node:fs';
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { readDataFile } from '../files/data-file.js';
import { readParquetRows } from '../files/parquet-file.js';
import type { FileRecord } from '../files/record-file.js';

export interface QuestionRecords {
  readonly records: readonly FileRecord[];
  /** Where the file is one JSON object of the authors' form, that. */
  readonly whole?: FileRecord;
}

const viewerForm = z.object({ rows: z.array(z.object({ row: z.unknown() })) });

/**
 * @param columns of a Parquet file
 * @param source says in one line where such a file comes from
 * @throws UserError where the file cannot be read or is of no such form; of Parquet, rejects
 */
export function readQuestionRecords(
  path: string,
  columns: readonly string[],
  source: string,
): QuestionRecords | Promise<QuestionRecords> {
  if (!existsSync(path))
    throw new UserError('expected a file of questions, found none', { place: path, hint: source });
  if (path.endsWith('.parquet')) {
    return readParquetRows(path, columns, { hint: source }).then((records) => ({ records }));
  }
  const { text } = readDataFile(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const lines = jsonLines(text, path);
    if (lines !== undefined) return { records: lines };
    throw new UserError(`expected JSON: ${error instanceof Error ? error.message : String(error)}`, {
      place: path,
      hint: 'The file may have been cut or edited.',
      cause: error,
    });
  }
  if (Array.isArray(value)) return { records: numbered(value, path) };
  const viewed = viewerForm.safeParse(value);
  if (viewed.success)
    return {
      records: numbered(
        viewed.data.rows.map(({ row }) => row),
        path,
      ),
    };
  // A file of one line is an object, too.
  return { records: [{ value, place: `${path}:1` }], whole: { value, place: path } };
}

function numbered(values: readonly unknown[], path: string): FileRecord[] {
  return values.map((value, i) => ({ value, place: `${path}:[${i}]` }));
}

/** Undefined where not even the first line is a JSON object. */
function jsonLines(text: string, path: string): FileRecord[] | undefined {
  const records: FileRecord[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${path}:${index + 1}`;
    try {
      records.push({ value: JSON.parse(line) as unknown, place });
    } catch (error) {
      if (records.length === 0) return undefined;
      throw new UserError(
        `expected a JSON object a line, found ${error instanceof Error ? error.message : String(error)}`,
        { place, hint: 'The file may have been cut or edited.', cause: error },
      );
    }
  }
  return records;
}
