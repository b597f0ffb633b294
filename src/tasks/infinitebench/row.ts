/**
 * A row of InfiniteBench's files (`id`, `context`, `input`, `answer`, `options`) as the parts of a sample.
 *
 * Answers are texts: of a choice its option and its letter, of all else what the file holds.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { fillFields } from '../files/fields.js';
import { checkRecord, type FileRecord } from '../files/record-file.js';
import { passage } from '../files/row-fields.js';
import type { Prompt } from '../one-question.js';
import { TEMPLATES, type InfiniteBenchName } from './templates.js';

const scalar = z.union([z.string(), z.number()]);

const rowSchema = z.object({
  context: passage,
  input: z.string(),
  answer: z.union(
    [scalar, z.array(z.union([scalar, z.array(scalar)]))],
    'expected a text, a number or a list of them',
  ),
  options: z.array(z.string()).default([]),
});

type Row = z.infer<typeof rowSchema>;

const LETTERS = ['A', 'B', 'C', 'D'] as const;

/** Prompt and answers of one row. Throws UserError with file and line where it is not one of this task's rows. */
export function readRow(task: InfiniteBenchName, record: FileRecord): Omit<Prompt, 'maxNewTokens'> {
  const row = checkRecord(rowSchema, record);
  const fields = {
    context: row.context,
    input: row.input,
    ...extraFields(task, row, record.place),
  };
  const { context, question, answerPrefix } = TEMPLATES[task];
  return {
    place: record.place,
    context: fillFields(context, fields),
    question: fillFields(question, fields),
    answerPrefix: fillFields(answerPrefix, fields),
    answers: answersOf(task, row, record.place),
  };
}

function extraFields(task: InfiniteBenchName, row: Row, place: string): Record<string, string> {
  switch (task) {
    case 'code_run': {
      const call = /(func_[0-9]+)\(-?[0-9]+\)/.exec(row.input);
      if (call === null) throw wrongInput('a call such as func_12(-3)', row, place);
      return { func: call[1]!, func_call: call[0] };
    }
    case 'math_find': {
      const target = /The .+ of/.exec(row.input);
      if (target === null) throw wrongInput('words such as "The largest number of"', row, place);
      return { prefix: `What is ${target[0].toLowerCase().slice(0, -3)} in the following list?` };
    }
    case 'code_debug':
    case 'longbook_choice_eng':
      if (row.options.length !== LETTERS.length) {
        throw new UserError(`options: expected ${LETTERS.length} of them, found ${row.options.length}`, {
          place,
        });
      }
      return Object.fromEntries(LETTERS.map((letter, i) => [`OPTION_${letter}`, row.options[i]!]));
    default:
      return {};
  }
}

function answersOf(task: InfiniteBenchName, row: Row, place: string): string[] {
  const answers = [row.answer].flat(2).map(String);
  if (answers.length === 0) throw new UserError('answer: expected at least one, found none', { place });
  return task === 'code_debug' || task === 'longbook_choice_eng'
    ? choiceOf(answers, row.options, place)
    : answers;
}

/** Text and letter of the right option, from its text alone or from both. */
function choiceOf(answers: readonly string[], options: readonly string[], place: string): string[] {
  const letter = LETTERS[options.indexOf(answers[0]!)];
  if (letter === undefined || answers.length > 2 || (answers.length === 2 && answers[1] !== letter)) {
    throw new UserError(
      `answer: expected one of the options, or one and its letter, found ${JSON.stringify(answers)}`,
      { place },
    );
  }
  return [answers[0]!, letter];
}

function wrongInput(expected: string, { input }: Row, place: string): UserError {
  return new UserError(`input: expected ${expected}, found ${JSON.stringify(input.slice(0, 80))}`, { place });
}
