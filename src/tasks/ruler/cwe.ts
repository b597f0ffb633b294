/**
 * RULER's common words extraction (arXiv 2404.06654): ten words come often in a numbered list, all others seldom.
 *
 * One answered example stands before the list, as in the published data. Words are the nouns and
 * adjectives of datasets/words, without a held-out half: the embedded model was not trained on this task. A list has
 * each word at most once, so that beyond some 100,000 tokens, where all words are in it, it does not grow further.
 */
import * as z from 'zod';
import { shippedFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import { textDigest } from '../files/data-folder.js';
import { randomFor, type Random } from '../../base/random.js';
import type { SampleRequest } from '../one-question.js';
import type { Task } from '../types.js';
import { fractionFound } from './score.js';
import { checkSmallest, largestSample, type Sizing } from './sized.js';
import { WORD_LISTS, wordLists } from './strings.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'ruler/cwe 1';
const NAME = 'ruler/cwe';
const MAX_NEW_TOKENS = 120;

const HEADER =
  'Below is a numbered list of words. In these words, some appear more often than others. ' +
  'Memorize the ones that appear most often.\n';
const QUESTION = '\nQuestion: What are the 10 most common words in the above list?';
const ANSWER_PREFIX = 'Answer: The top 10 words that appear most often in the list are:';

const COMMON_WORDS = 10;
/** Fewest different words of a list: one that is not common. */
const LEAST_WORDS = COMMON_WORDS + 1;

/** How often each common word and each other word comes. */
interface Repeats {
  readonly common: number;
  readonly others: number;
}

/** Contexts below 4096 tokens have smaller lists. */
const SHORT = { repeats: { common: 6, others: 1 }, example: { words: 20, common: 3, others: 1 } } as const;
const LONG = { repeats: { common: 30, others: 3 }, example: { words: 40, common: 10, others: 3 } } as const;

export const cweTask: Task<Record<string, never>> = {
  name: NAME,
  family: 'ruler',
  summary: `${COMMON_WORDS} most frequent words of a numbered list of words`,
  source: 'RULER, arXiv 2404.06654; generated here',
  params: z.strictObject({}),
  open: (params, context) => ({
    digest: textDigest(context.files, GENERATOR, WORD_LISTS.map(shippedFile)),
    sample: (index) => largestSample(NAME, { ...context, params, index }, draw),
    check: (index) => {
      checkSmallest(NAME, { ...context, params, index }, draw);
    },
    score: (answer, { answers }) => fractionFound(answer, answers),
  }),
};

function draw(request: SampleRequest<unknown>): Sizing {
  const { contextLength, seed, index } = request;
  const { repeats, example } = contextLength < 4096 ? SHORT : LONG;
  const vocabulary = allWords(request.files);
  const random = randomFor(NAME, contextLength, seed, index);
  const exampleText = answered(random.sample(vocabulary, example.words), example, random);
  const words = random.shuffle(vocabulary);
  return {
    contextOf: (count) => {
      const order = randomFor(NAME, contextLength, seed, index, 'order');
      return `${exampleText}${HEADER}${drawList(words.slice(0, count), repeats, order)}`;
    },
    question: QUESTION,
    answerPrefix: ANSWER_PREFIX,
    answers: words.slice(0, COMMON_WORDS),
    maxNewTokens: MAX_NEW_TOKENS,
    unit: 'words and their repetitions, an example',
    least: LEAST_WORDS,
    most: words.length,
    stride: 5 * COMMON_WORDS,
  };
}

/** The words in random order, each as often as it should; the first ten are the common ones. */
function drawList(words: readonly string[], { common, others }: Repeats, random: Random): string {
  return numbered(
    random.shuffle(words.flatMap((word, i) => Array<string>(i < COMMON_WORDS ? common : others).fill(word))),
  );
}

/** A whole prompt with its answer behind it, and a line break. */
function answered(words: readonly string[], repeats: Repeats, random: Random): string {
  const prompt = `${HEADER}${drawList(words, repeats, random)}${QUESTION} ${ANSWER_PREFIX}`;
  return `${prompt} ${numbered(words.slice(0, COMMON_WORDS))}\n`;
}

/** `1. word 2. word …` */
function numbered(words: readonly string[]): string {
  return words.map((word, i) => `${i + 1}. ${word}`).join(' ');
}

function allWords(files: DataFiles): readonly string[] {
  return files.once('all words', () => [...new Set(wordLists(files).flat())].sort());
}
