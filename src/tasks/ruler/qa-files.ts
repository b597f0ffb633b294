/**
 * Questions with their documents, from the files that the authors of SQuAD and HotpotQA publish.
 *
 * Decides what a document is (a paragraph; a title and its sentences) and which documents belong to a question: those
 * that the file gives it, and in SQuAD the other paragraphs of its article. Knows nothing of prompts.
 */
import { existsSync } from 'node:fs';
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { readDataFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import { checkRecord } from '../files/record-file.js';

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
export type QuestionReader = (files: DataFiles, path: string, source: string) => QuestionSet;

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

/** The answerable questions of SQuAD v2, `{ data: [{ paragraphs: [{ context, qas }] }] }`. */
export const readSquad: QuestionReader = reader('SQuAD', (value, place) => {
  const documents = new Documents();
  const { data } = checkRecord(squadFile, { value, place });
  const questions = data.flatMap((entry, i) => {
    const { paragraphs } = checkRecord(article, { value: entry, place: `${place}:data[${i}]` });
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
});

const hotpotEntry = z.object({
  question: text,
  answer: text,
  context: z.array(z.tuple([z.string(), z.array(z.string())])).min(1),
});

/** HotpotQA's distractor setting, `[{ question, answer, context: [[title, sentences]] }]`. */
export const readHotpot: QuestionReader = reader('HotpotQA', (value, place) => {
  const documents = new Documents();
  const questions = checkRecord(z.array(z.unknown()), { value, place }).map((entry, i) => {
    const { question, answer, context } = checkRecord(hotpotEntry, {
      value: entry,
      place: `${place}:[${i}]`,
    });
    const own = context.map(([title, sentences]) => documents.add(`${title}\n${sentences.join('')}`));
    return { text: question, answers: [answer], own: [...new Set(own)], related: [] };
  });
  return { documents: documents.texts, questions };
});

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
  form: string,
  parse: (value: unknown, place: string) => Omit<QuestionSet, 'digest'>,
): QuestionReader {
  return (files, path, source) => files.once(`${form} ${path}`, () => read(path, source, parse));
}

function read(
  path: string,
  source: string,
  parse: (value: unknown, place: string) => Omit<QuestionSet, 'digest'>,
): QuestionSet {
  if (!existsSync(path))
    throw new UserError('expected a file of questions, found none', { place: path, hint: source });
  const file = readDataFile(path);
  const set = parse(parseJson(file.text, path), path);
  if (set.questions.length === 0)
    throw new UserError('expected at least one question that has an answer, found none', {
      place: path,
      hint: source,
    });
  return { ...set, digest: file.digest };
}

function parseJson(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UserError(`expected JSON: ${error instanceof Error ? error.message : String(error)}`, {
      place,
      hint: 'The file may have been cut or edited.',
      cause: error,
    });
  }
}
