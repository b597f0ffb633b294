/**
 * RULER's frequent words extraction (arXiv 2404.06654): coded words whose frequencies follow a zeta distribution; the
 * most frequent is a row of dots, the next three are asked for.
 *
 * There are as many words at least as tell the third from the fourth. Coded words are random letters,
 * drawn anew for each sample.
 */
import * as z from 'zod';
import { loaderDigest } from '../files/data-folder.js';
import { randomFor } from '../../base/random.js';
import type { SampleRequest } from '../one-question.js';
import type { Task } from '../types.js';
import { distinct, letters, LOWER_CASE } from './letters.js';
import { fractionFound } from './score.js';
import { checkSmallest, largestSample, type Sizing } from './sized.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'ruler/fwe 1';
const NAME = 'ruler/fwe';
const MAX_NEW_TOKENS = 50;

const HEADER =
  'Read the following coded text and track the frequency of each coded word. ' +
  'Find the three most frequently appeared coded words. ';
const QUESTION =
  "\nQuestion: Do not provide any explanation. Please ignore the dots '....'. " +
  'What are the three most frequently appeared words in the above coded text?';
const ANSWER_PREFIX =
  'Answer: According to the coded text above, the three most frequently appeared words are:';

const DOTS = '...';
const WORD_LETTERS = 6;
const ASKED = 3;
/** ζ(2): the exponent is α = 2. */
const ZETA = Math.PI ** 2 / 6;
/** Fewest words in all: from here on rank 4 always comes more often than rank 5. */
const LEAST_WORDS = 53;

export const fweTask: Task<Record<string, never>> = {
  name: NAME,
  family: 'ruler',
  summary: `${ASKED} most frequent words of a coded text`,
  source: 'RULER, arXiv 2404.06654; generated here',
  params: z.strictObject({}),
  open: (params, context) => ({
    digest: loaderDigest(GENERATOR),
    sample: (index) => largestSample(NAME, { ...context, params, index }, draw),
    check: (index) => {
      checkSmallest(NAME, { ...context, params, index }, draw);
    },
    score: (answer, { answers }) => fractionFound(answer, answers),
  }),
};

/** How often the word of rank k (1 is the most frequent) comes among about `words` words. */
export function frequency(words: number, k: number): number {
  return Math.floor(words / k ** 2 / ZETA);
}

function draw(request: SampleRequest<unknown>): Sizing {
  const { contextLength, seed, index } = request;
  const size = Math.max(Math.floor((contextLength - MAX_NEW_TOKENS) / 50), ASKED + 1);
  const random = randomFor(NAME, contextLength, seed, index);
  const coded = distinct(
    size - 1,
    () => letters(random, LOWER_CASE, WORD_LETTERS),
    HEADER + QUESTION + ANSWER_PREFIX,
  );
  const ranked = [DOTS, ...coded];
  return {
    contextOf: (count) => {
      const text = ranked.flatMap((word, i) => Array<string>(frequency(count, i + 1)).fill(word));
      return HEADER + randomFor(NAME, contextLength, seed, index, 'order').shuffle(text).join(' ');
    },
    question: QUESTION,
    answerPrefix: ANSWER_PREFIX,
    answers: ranked.slice(1, 1 + ASKED),
    maxNewTokens: MAX_NEW_TOKENS,
    unit: 'coded words',
    least: LEAST_WORDS,
    stride: Math.max(1, Math.floor(contextLength / 32)),
  };
}
