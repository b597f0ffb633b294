/**
 * Needles at a chosen depth, for maps of depth by context length: `depth` is a parameter of the task, so that a spec
 * that sweeps it has a row of accuracy.csv for every depth, length and pipeline.
 *
 * Hidden are random numbers under random words as in RULER (`needle/map`), or Greg Kamradt's sandwich (`needle/sandwich`).
 * Every sample is another draw: other keys and numbers, another passage of the essay; the n-th draw is the same at every
 * depth. The text is the longest that fits. Random strings follow the held-out rule, as RULER's do.
 */
import * as z from 'zod';
import { shippedFile } from '../files/data-file.js';
import { textDigest } from '../files/data-folder.js';
import { randomFor } from '../../base/random.js';
import { essayParam, essayPath } from '../ruler/essay.js';
import { type Piece, pieceOf, placeAt, type Placed, withNeedles } from '../ruler/pieces.js';
import { checkSmallest, largestSample, type Sizing } from '../ruler/sized.js';
import { Strings, WORD_LISTS } from '../ruler/strings.js';
import { ANSWER_PREFIX, fill, HEADER, listed, needle, NOISE, QUESTION } from '../ruler/templates.js';
import { refuseUnused } from '../../base/unused-params.js';
import { allFound, cleanPrediction } from '../scorers/substring.js';
import type { SampleRequest } from '../one-question.js';
import type { OpenTask, Task } from '../types.js';
import { passage, spreadDepths } from './place.js';
import { SANDWICH } from './templates.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'needle 2';

/** Passages begin within this many words of the essay's beginning. */
const STARTS = 20_000;
const ESSAY = { unit: 'words of text', least: 50, stride: 500 } as const;
const REPEATED = { unit: 'sentences', least: 5, stride: 25 } as const;

const depth = z
  .number()
  .min(0)
  .max(100)
  .default(50)
  .describe('where the needle stands, in per cent of the text: 0 its beginning, 100 its end');

const mapParams = refuseUnused(
  z.strictObject({
    depth,
    needles: z
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe(
        'numbers that are hidden and asked for: the first at the depth, the others evenly spaced behind it',
      ),
    haystack: z.enum(['essay', 'noise']).default('essay').describe('running text, or one repeated sentence'),
    essay: essayParam,
  }),
  { essay: { when: ({ haystack }) => haystack === 'essay', needs: 'haystack: essay' } },
);
const sandwichParams = z.strictObject({ depth, essay: essayParam });

export type MapParams = z.infer<typeof mapParams>;
export type SandwichParams = z.infer<typeof sandwichParams>;

const score: OpenTask['score'] = (answer, { answers }) => allFound(cleanPrediction(answer), answers);

const map: Task<MapParams> = {
  name: 'needle/map',
  family: 'needle',
  summary: 'numbers hidden at a chosen depth of a text, as in RULER; for maps of depth by length',
  source: 'after RULER, arXiv 2404.06654, and Greg Kamradt 2023; generated here',
  params: mapParams,
  open: (params, context) => ({
    digest: textDigest(context.files, GENERATOR, [
      ...WORD_LISTS.map(shippedFile),
      ...(params.haystack === 'essay' ? [essayPath(params.essay)] : []),
    ]),
    sample: (index) => largestSample('needle/map', { ...context, params, index }, drawNumbers),
    check: (index) => {
      checkSmallest('needle/map', { ...context, params, index }, drawNumbers);
    },
    score,
  }),
};

const sandwich: Task<SandwichParams> = {
  name: 'needle/sandwich',
  family: 'needle',
  summary: 'the best thing to do in San Francisco, hidden at a chosen depth of an essay',
  source: 'Greg Kamradt, Needle In A Haystack, 2023; generated here',
  params: sandwichParams,
  open: (params, context) => ({
    digest: textDigest(context.files, GENERATOR, [essayPath(params.essay)]),
    sample: (index) => largestSample('needle/sandwich', { ...context, params, index }, drawSandwich),
    check: (index) => {
      checkSmallest('needle/sandwich', { ...context, params, index }, drawSandwich);
    },
    score,
  }),
};

export const needleTasks: readonly (Task<MapParams> | Task<SandwichParams>)[] = [map, sandwich];

function drawNumbers(request: SampleRequest<MapParams>): Sizing {
  const { contextLength, seed, index, params, files } = request;
  const random = randomFor(map.name, contextLength, seed, index);
  const strings = new Strings(random, files);
  const hidden = Array.from({ length: params.needles }, () => ({
    key: strings.key('words'),
    number: strings.value('numbers'),
  }));
  const start = random.below(STARTS);
  const answers = hidden.map(({ number }) => number);
  const fields = {
    type: 'numbers',
    query: listed(hidden.map(({ key }) => key)),
    oneAnswer: answers.length === 1,
  } as const;
  const needles = hidden.map(({ key, number }) => needle('numbers', key, number));
  const depths = spreadDepths(params.depth, needles.length);
  const header = fill(HEADER, fields);
  const isEssay = params.haystack === 'essay';
  const line = pieceOf(NOISE, '\n');
  const place = (count: number): Placed => {
    const pieces = isEssay
      ? passage(files, essayPath(params.essay), start, count)
      : Array<Piece>(count).fill(line);
    return withNeedles(
      pieces,
      needles,
      depths.map((each) => placeAt(pieces, each)),
    );
  };
  return {
    ...(isEssay ? ESSAY : REPEATED),
    contextOf: (count) => header + place(count).text,
    depthsOf: (count) => place(count).depths,
    question: fill(QUESTION, fields),
    answerPrefix: fill(ANSWER_PREFIX, fields),
    answers,
    maxNewTokens: 128,
  };
}

function drawSandwich(request: SampleRequest<SandwichParams>): Sizing {
  const { contextLength, seed, index, params, files } = request;
  const start = randomFor(sandwich.name, contextLength, seed, index).below(STARTS);
  const { needle, before, behind, question, answerPrefix, facts } = SANDWICH;
  const place = (count: number): Placed => {
    const pieces = passage(files, essayPath(params.essay), start, count);
    return withNeedles(pieces, [needle], [placeAt(pieces, params.depth)]);
  };
  return {
    ...ESSAY,
    contextOf: (count) => before + place(count).text + behind,
    depthsOf: (count) => place(count).depths,
    question,
    answerPrefix,
    answers: facts,
    maxNewTokens: 50,
  };
}
