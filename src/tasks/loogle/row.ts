/**
 * A row of LooGLE's files as questions on one document.
 *
 * A row may have two forms: the first release has a document with all its questions (`input`, `qa_pairs`,
 * `output`), the questions as Python writes them; later ones have one question a row (`context`, `question`,
 * `answer`). Answers to a cloze are made one dictionary, as JSON.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { checkRecord, type FileRecord } from '../files/record-file.js';
import { passage, text } from '../files/row-fields.js';
import { parseDictionary } from '../scorers/loogle/dictionary.js';
import { parsePythonLiteral } from './python-literal.js';
import type { LoogleName } from './templates.js';

export interface Document {
  readonly text: string;
  readonly questions: readonly Question[];
}

export interface Question {
  /** Empty for a summary. */
  readonly question: string;
  readonly answer: string;
}

const gaps = z.record(z.string(), z.union([z.string(), z.number()]));

const documentSchema = z.object({ input: passage, qa_pairs: z.unknown(), output: z.unknown() });
const answer = z.union([text, z.number(), gaps], 'expected a text, a number or a dictionary of masked names');
const pairsSchema = z.object({
  qa_pairs: z.array(z.object({ Q: text, A: answer })).min(1, 'expected at least one question'),
});
const questionSchema = z.object({
  context: passage,
  question: z.string(),
  answer: z.union([text, z.array(text).min(1, 'expected at least one value')]),
});

/** The document of one row and what is asked of it. Throws UserError with file and line. */
export function readRow(task: LoogleName, record: FileRecord): Document {
  const { value } = record;
  const isDocument = typeof value === 'object' && value !== null && 'qa_pairs' in value;
  const document = isDocument ? documentOf(task, record) : questionOf(task, record);
  if (task === 'shortdep_cloze') checkGaps(document, record.place);
  return document;
}

function checkGaps({ questions }: Document, place: string): void {
  const wrong = questions.find(({ answer }) => (parseDictionary(answer)?.size ?? 0) === 0);
  if (wrong === undefined) return;
  throw new UserError(`expected a dictionary of masked names as the answer, found ${wrong.answer}`, {
    place,
  });
}

function documentOf(task: LoogleName, record: FileRecord): Document {
  const row = checkRecord(documentSchema, record);
  if (task === 'longdep_summarization') {
    const answer = checkRecord(z.object({ output: text }), record).output;
    return { text: row.input, questions: [{ question: '', answer }] };
  }
  const { qa_pairs: pairs } = checkRecord(pairsSchema, {
    value: { qa_pairs: pairsOf(row.qa_pairs, record.place) },
    place: record.place,
  });
  return {
    text: row.input,
    questions: pairs.map(({ Q, A }, i) => {
      if (typeof A !== 'object') return { question: Q, answer: String(A) };
      if (task === 'shortdep_cloze') return { question: Q, answer: JSON.stringify(A) };
      throw new UserError(`qa_pairs.${i}.A: expected a text, found a dictionary`, { place: record.place });
    }),
  };
}

function pairsOf(written: unknown, place: string): unknown {
  if (typeof written !== 'string') return written;
  try {
    return parsePythonLiteral(written);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`qa_pairs: ${error.message}`, {
      place,
      hint: 'The file of the data set may have been edited or cut, or be that of another task.',
      cause: error,
    });
  }
}

function questionOf(task: LoogleName, record: FileRecord): Document {
  const row = checkRecord(questionSchema, record);
  const question = task === 'longdep_summarization' ? '' : row.question;
  if (typeof row.answer === 'string')
    return { text: row.context, questions: [{ question, answer: row.answer }] };
  if (task !== 'shortdep_cloze') {
    throw new UserError(`answer: expected a text, found a list of ${row.answer.length}`, {
      place: record.place,
    });
  }
  const answer = JSON.stringify(Object.fromEntries(row.answer.map((value, i) => [`<mask-${i}>`, value])));
  return { text: row.context, questions: [{ question, answer }] };
}
