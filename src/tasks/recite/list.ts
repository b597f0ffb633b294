/**
 * A long answer: a list of numbers stands somewhere in an essay, and all of it is to be repeated.
 *
 * The list has as many lines as asked for (or fit), the essay is the largest that fits beside the question, the list in it and
 * the list as the answer. Made for caches that evict while decoding: every line that is repeated must still be there when its
 * turn comes. Random strings are those of the RULER tasks.
 */
import * as z from 'zod';
import { shippedFile } from '../files/data-file.js';
import { textDigest } from '../files/data-folder.js';
import { randomFor } from '../../base/random.js';
import { essayParam, essayPath, essayRules, firstUnits, placementParam } from '../ruler/essay.js';
import { largestFitting } from '../ruler/fit.js';
import { joinPieces, type Piece, placeAt, splitPieces } from '../ruler/pieces.js';
import { tooShort } from '../ruler/sized.js';
import { Strings, WORD_LISTS } from '../ruler/strings.js';
import { oneQuestion, type SampleRequest } from '../one-question.js';
import type { Sample, Task } from '../types.js';
import { fractionRecited } from './score.js';
import { ANSWER_PREFIX, contextWith, QUESTION, rightAnswer, type Line } from './templates.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'recite/list 1';
const NAME = 'recite/list';

/** Lines where the parameter is not given: as many as fit, between these. */
const LINES = { least: 4, most: 24 } as const;
/** Words of essay that are always there, and the first step beyond them. */
const WORDS = { least: 50, stride: 500 } as const;
/** New tokens beyond those of the right answer. */
const SLACK = 16;
/** Depths at which the list stands, evenly spaced from the essay's beginning to its end. */
const DEPTHS = 41;

const params = z.strictObject({
  lines: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('lines of the list, 1 to 1000; where not given 24, or as many as fit, at least 4'),
  essay: essayParam,
  placement: placementParam,
});

export type ReciteParams = z.infer<typeof params>;

export const reciteTasks: readonly Task<ReciteParams>[] = [
  {
    name: NAME,
    family: 'recite',
    summary: 'a list of numbers to repeat in order, hidden in an essay: a long answer',
    source: 'made for this project; strings as in RULER, arXiv 2404.06654',
    params,
    open: (given, context) => ({
      digest: textDigest(context.files, GENERATOR + essayRules(context.files, essayPath(given.essay)), [
        ...WORD_LISTS.map(shippedFile),
        essayPath(given.essay),
      ]),
      sample: (index) => drawSample({ ...context, params: given, index }),
      check: (index) => {
        const request = { ...context, params: given, index };
        expectFits(request, draw(request));
      },
      score: (answer, { answers }) => fractionRecited(answer, answers),
    }),
  },
];

/** Lines to choose the first of, and what is around them. */
interface Draw {
  readonly lines: readonly Line[];
  /** Its first `count` lines in `words` words of essay. */
  readonly contextOf: (count: number, words: number) => string;
  /** Where the list stands among `words` words, per cent. */
  readonly depthOf: (words: number) => number;
}

function draw({ contextLength, seed, index, params, files }: SampleRequest<ReciteParams>): Draw {
  const random = randomFor(NAME, contextLength, seed, index);
  const depth = random.below(DEPTHS) / (DEPTHS - 1);
  const strings = new Strings(random, files);
  const lines = Array.from({ length: params.lines ?? LINES.most }, (): Line => {
    return { key: strings.key('words'), number: strings.value('numbers') };
  });
  const around = (words: number): [Piece[], Piece[]] => {
    const sentences = firstUnits(files, essayPath(params.essay), words);
    const place =
      params.placement === 'border'
        ? placeAt(sentences, 100 * depth)
        : { piece: Math.floor(depth * sentences.length), unit: 0 };
    return splitPieces(sentences, place);
  };
  return {
    lines,
    contextOf: (count, words) => {
      const [before, after] = around(words);
      return contextWith(lines.slice(0, count), joinPieces(before), joinPieces(after));
    },
    depthOf: (words) => {
      const units = around(words)[0].reduce((sum, piece) => sum + piece.units, 0);
      return (100 * units) / words;
    },
  };
}

function drawSample(request: SampleRequest<ReciteParams>): Sample {
  const { contextLength, params } = request;
  const drawn = draw(request);
  expectFits(request, drawn);
  const count = mostLines(
    drawn.lines.length,
    fewestLines(params),
    (some) => lengthOf(request, drawn, some, WORDS.least) <= contextLength,
  );
  const words = largestFitting((some) => lengthOf(request, drawn, count, some), {
    ...WORDS,
    limit: contextLength,
  })!;
  return oneQuestion({
    context: drawn.contextOf(count, words),
    question: QUESTION,
    answerPrefix: ANSWER_PREFIX,
    answers: drawn.lines.slice(0, count).map(({ number }) => number),
    maxNewTokens: newTokensOf(request, drawn, count),
    depths: [drawn.depthOf(words)],
  });
}

function fewestLines({ lines }: ReciteParams): number {
  return lines ?? LINES.least;
}

type Counter = Pick<SampleRequest<ReciteParams>, 'countTokens'>;

function newTokensOf({ countTokens }: Counter, { lines }: Draw, count: number): number {
  return countTokens(rightAnswer(lines.slice(0, count))) + SLACK;
}

function lengthOf(counter: Counter, drawn: Draw, count: number, words: number): number {
  const prompt = `${drawn.contextOf(count, words)}${QUESTION}\n${ANSWER_PREFIX}`;
  return counter.countTokens(prompt) + newTokensOf(counter, drawn, count);
}

/** Throws UserError where not even the fewest lines in the least text fit. */
function expectFits(request: SampleRequest<ReciteParams>, drawn: Draw): void {
  const fewest = fewestLines(request.params);
  if (lengthOf(request, drawn, fewest, WORDS.least) <= request.contextLength) return;
  throw tooShort(
    NAME,
    request,
    (length) => lengthOf(request, draw({ ...request, contextLength: length }), fewest, WORDS.least),
    `${WORDS.least} words of text, ${fewest} lines, the question, and the lines once more as the answer`,
  );
}

/** The largest number of lines that fits; `fewest` where none does. */
function mostLines(most: number, fewest: number, fits: (count: number) => boolean): number {
  let count = most;
  while (count > fewest && !fits(count)) count--;
  return count;
}
