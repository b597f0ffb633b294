/**
 * Questions with their documents, from SQuAD and HotpotQA: the files that their authors publish, or the hub's rows.
 *
 * A document is a paragraph (SQuAD) or a title and its sentences (HotpotQA). To a question belong those that the file gives
 * it, and in SQuAD the other paragraphs of its article.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { fileDigest } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import { checkRecord, type FileRecord } from '../files/record-file.js';
import { type QuestionRecords, readQuestionRecords } from './question-records.js';

export interface Question {
  readonly text: string;
  /** Accepted answers, at least one; each once. */
  readonly answers: readonly string[];
  /** Indices of its own documents. */
  readonly own: readonly number[];
  /** Indices of related documents, without its own. */
  readonly related: readonly number[];
}

export interface QuestionSet {
  /** Each text once, in the order of the file. */
  readonly documents: readonly string[];
  readonly questions: readonly Question[];
  /** sha256 of the file, hex. */
  readonly digest: string;
}

/** Reads one form of file, once. `source` says in one line where such a file comes from. */
export type QuestionReader = (
  files: DataFiles,
  path: string,
  source: string,
) => QuestionSet | Promise<QuestionSet>;

const text = z.string().min(1);

const article = z.object({
  paragraphs: z.array(
    z.object({
      context: text,
      qas: z.array(
        z.discriminatedUnion('is_impossible', [
          z.object({
            is_impossible: z.literal(false),
            question: text,
            answers: z.array(z.object({ text })).min(1),
          }),
          z.object({ is_impossible: z.literal(true) }),
        ]),
      ),
    }),
  ),
});
const squadFile = z.object({ data: z.array(z.unknown()) });
/** A row of the hub's copy: one question, unanswerable where it has no answer. */
const squadRow = z.object({
  title: z.string(),
  context: text,
  question: text,
  answers: z.object({ text: z.array(text) }),
});

/** The answerable questions of SQuAD v2: `{ data: [{ paragraphs: [{ context, qas }] }] }`, or the hub's rows. */
export const readSquad: QuestionReader = reader(
  ['title', 'context', 'question', 'answers'],
  ({ records, whole }) => {
    return whole === undefined || isRow(whole.value) ? squadOfRows(records) : squadOfArticles(whole);
  },
);

function squadOfArticles(file: FileRecord): Omit<QuestionSet, 'digest'> {
  const documents = new Documents();
  const { data } = checkRecord(squadFile, file);
  const questions = data.flatMap((entry, i) => {
    const { paragraphs } = checkRecord(article, { value: entry, place: `${file.place}:data[${i}]` });
    const ofArticle = paragraphs.map(({ context }) => documents.add(context));
    return paragraphs.flatMap(({ qas }, p) => {
      const own = ofArticle[p]!;
      const related = [...new Set(ofArticle)].filter((index) => index !== own);
      return qas
        .filter((qa) => !qa.is_impossible)
        .map(({ question, answers }) => ({
          text: question,
          answers: [...new Set(answers.map((answer) => answer.text))],
          own: [own],
          related,
        }));
    });
  });
  return { documents: documents.texts, questions };
}

function squadOfRows(records: readonly FileRecord[]): Omit<QuestionSet, 'digest'> {
  const documents = new Documents();
  const rows = records.map((record) => checkRecord(squadRow, record));
  const byTitle = new Map<string, Set<number>>();
  const owns = rows.map(({ title, context }) => {
    const own = documents.add(context);
    byTitle.set(title, (byTitle.get(title) ?? new Set()).add(own));
    return own;
  });
  const questions = rows.flatMap(({ title, question, answers }, i) =>
    answers.text.length === 0
      ? []
      : [
          {
            text: question,
            answers: [...new Set(answers.text)],
            own: [owns[i]!],
            related: [...byTitle.get(title)!].filter((index) => index !== owns[i]),
          },
        ],
  );
  return { documents: documents.texts, questions };
}

const hotpotEntry = z.object({
  question: text,
  answer: text,
  context: z.preprocess(pairsOf, z.array(z.tuple([z.string(), z.array(z.string())])).min(1)),
});

/** The hub's `{ title: […], sentences: [[…]] }` as the authors' `[[title, sentences]]`; anything else as it is. */
function pairsOf(context: unknown): unknown {
  if (typeof context !== 'object' || context === null || Array.isArray(context)) return context;
  const { title, sentences } = context as Readonly<Record<string, unknown>>;
  if (!Array.isArray(title) || !Array.isArray(sentences)) return context;
  return title.map((each: unknown, i) => [each, sentences[i] as unknown]);
}

/** HotpotQA's distractor setting: `[{ question, answer, context: [[title, sentences]] }]`, or the hub's rows. */
export const readHotpot: QuestionReader = reader(['question', 'answer', 'context'], ({ records, whole }) => {
  if (whole !== undefined && !isRow(whole.value)) checkRecord(z.array(z.unknown()), whole);
  const documents = new Documents();
  const questions = records.map((record) => {
    const { question, answer, context } = checkRecord(hotpotEntry, record);
    const own = context.map(([title, sentences]) => documents.add(`${title}\n${sentences.join('')}`));
    return { text: question, answers: [answer], own: [...new Set(own)], related: [] };
  });
  return { documents: documents.texts, questions };
});

function isRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'question' in value;
}

/** Each text gets the index at which it was first seen. */
class Documents {
  private readonly indices = new Map<string, number>();

  add(document: string): number {
    const index = this.indices.get(document) ?? this.indices.size;
    this.indices.set(document, index);
    return index;
  }

  get texts(): string[] {
    return [...this.indices.keys()];
  }
}

function reader(
  columns: readonly string[],
  parse: (records: QuestionRecords) => Omit<QuestionSet, 'digest'>,
): QuestionReader {
  const made = (records: QuestionRecords, path: string, source: string): QuestionSet => {
    const set = parse(records);
    if (set.questions.length === 0)
      throw new UserError('expected at least one question that has an answer, found none', {
        place: path,
        hint: source,
      });
    return { ...set, digest: fileDigest(path) };
  };
  return (files, path, source) =>
    files.once(`questions ${columns.join(' ')} ${path}`, () => {
      const records = readQuestionRecords(path, columns, source);
      return records instanceof Promise
        ? records.then((read) => made(read, path, source))
        : made(records, path, source);
    });
}
