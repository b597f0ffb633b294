/**
 * The copy of InfiniteBench that the SparK paper's harness is wired to: other words around the same rows.
 *
 * A choice gets its option beside its letter again, from the end of the question: the copy keeps the letter alone, with which
 * the released scorer of code_debug cannot work. As it stands otherwise, math_find's double question included.
 */
import { UserError } from '../../base/errors.js';
import { hubCopyTasks, type HubParams, type HubRow } from '../files/hub-copy.js';
import type { Task } from '../types.js';
import { infinitebenchTasks } from './list.js';
import { SCORERS, variantParam } from './scoring.js';
import type { InfiniteBenchName } from './templates.js';

const OPTIONS = /\nA\. (.*)\nB\. (.*)\nC\. (.*)\nD\. (.*)$/;
const CHOICES: readonly string[] = ['code_debug', 'longbook_choice_eng'];

export const infinitebenchHubTasks: readonly Task<HubParams>[] = hubCopyTasks({
  family: 'infinitebench-hub',
  repository: 'MaxJeblick/InfiniteBench',
  variant: variantParam,
  tasks: infinitebenchTasks.map((official) => {
    const name = official.name.slice(official.name.indexOf('/') + 1) as InfiniteBenchName;
    return {
      name,
      summary: official.summary,
      notes: official.notes,
      ...{ score: SCORERS[name].kvpress, official: SCORERS[name].official },
      ...(CHOICES.includes(name) ? { answersOf: optionAndLetter } : {}),
    };
  }),
});

function optionAndLetter({ question, answer }: HubRow, place: string): readonly string[] {
  const letter = answer[0]!;
  const option = OPTIONS.exec(question)?.['_ABCD'.indexOf(letter)];
  if (answer.length !== 1 || option === undefined || !/^[A-D]$/.test(letter)) {
    throw new UserError(
      `expected a letter as the answer and the options A to D at the end of the question, found ${JSON.stringify(answer)} and ${JSON.stringify(question.slice(-80))}`,
      { place },
    );
  }
  return [option, letter];
}
