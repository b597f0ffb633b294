/** Samples of RULER's tasks with a tokenizer that is only a rule. */
import { fileURLToPath } from 'node:url';
import { tasks } from '../../../src/tasks/built-in.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import { drawn, opened, READ_FILES } from '../loader-support.js';

/** Pieces of at most four letters, single digits and marks. */
export const countTokens = (text: string): number =>
  text.match(/\s?[A-Za-z’]{1,4}|\s?[^A-Za-z’\s]|\s/gu)?.length ?? 0;

export const SQUAD = fixture('squad-form.json');
export const HOTPOT = fixture('hotpot-form.json');

export interface Asked {
  contextLength?: number;
  seed?: number;
  index?: number;
  params?: Readonly<Record<string, unknown>>;
}

/** `task` without its family. */
export function draw(
  task: string,
  { contextLength = 2048, seed = 42, index = 0, params = {} }: Asked = {},
): Prompt {
  return drawn(
    opened(tasks.get(`ruler/${task}`)!, params, { contextLength, seed, countTokens, files: READ_FILES }),
    index,
  );
}

export const promptOf = ({ context, question, answerPrefix }: Prompt): string =>
  `${context}${question} ${answerPrefix}`;
export const tokensOf = (sample: Prompt): number => countTokens(promptOf(sample)) + sample.maxNewTokens;
export const occurrences = (text: string, part: string): number => text.split(part).length - 1;

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/qa/${name}`, import.meta.url));
}
