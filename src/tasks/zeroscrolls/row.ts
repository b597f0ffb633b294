/**
 * Rows of ZeroSCROLLS' files (`id`, `input`, `output` and indices into the input) as samples.
 *
 * A prompt is cut behind the document and behind the query, where the row says; what follows the query
 * ("Answer:", …) is the answer prefix. Rows of one `id` are further answers to the same prompt. A row without an answer
 * is one of the test split, whose answers are not public: it is refused, never scored.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { checkRecord, type FileRecord, type RecordFile } from '../files/record-file.js';
import { passage } from '../files/row-fields.js';
import { strip } from '../scorers/python-text.js';
import type { DataFiles } from '../files/data-files.js';
import type { Prompt } from '../one-question.js';

const rowSchema = z.object({
  id: z.string().min(1),
  input: passage,
  output: z.string().nullish(),
  document_end_index: z.int().min(1),
  query_end_index: z.int(),
});

/** The file's samples, each as the indices of the rows that are its answers. */
export function samplesOf(file: RecordFile, files: DataFiles): readonly (readonly number[])[] {
  return files.once(`zeroscrolls samples ${file.path}`, () => {
    const byId = new Map<string, number[]>();
    for (let index = 0; index < file.count; index++) {
      const { id } = answered(file.record(index));
      byId.set(id, [...(byId.get(id) ?? []), index]);
    }
    return [...byId.values()];
  });
}

/** The sample of these rows, the first of which has the prompt. Throws UserError with file and line. */
export function readSample(file: RecordFile, rows: readonly number[]): Omit<Prompt, 'maxNewTokens'> {
  const records = rows.map((index) => file.record(index));
  const { input, document_end_index: documentEnd, query_end_index: queryEnd } = answered(records[0]!);
  const length = pythonLength(input);
  const end = Math.max(documentEnd, queryEnd);
  if (end > length) {
    throw new UserError(`expected indices of at most ${length}, the length of the input, found ${end}`, {
      place: records[0]!.place,
      hint: 'The file of the data set may have been edited or cut.',
    });
  }
  const [document, query] = [offsetOf(input, documentEnd), offsetOf(input, end)];
  return {
    place: records[0]!.place,
    context: input.slice(0, document),
    question: input.slice(document, query),
    answerPrefix: strip(input.slice(query)),
    answers: records.map((record) => answered(record).output),
  };
}

function answered(record: FileRecord): z.infer<typeof rowSchema> & { readonly output: string } {
  const row = checkRecord(rowSchema, record);
  const { output } = row;
  if (output === null || output === undefined || output === '') {
    throw new UserError(
      'expected a row with an answer, found one of the test split, whose answers are not public',
      {
        place: record.place,
        hint: 'Only validation.jsonl can be scored here; the benchmark scores predictions for its test split itself.',
      },
    );
  }
  return { ...row, output };
}

/** Characters as Python counts them: code points. */
function pythonLength(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at += width(text, at)) length++;
  return length;
}

/** Where the n-th code point begins. */
function offsetOf(text: string, points: number): number {
  let at = 0;
  for (let passed = 0; passed < points; passed++) at += width(text, at);
  return at;
}

function width(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
