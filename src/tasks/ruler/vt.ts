/**
 * RULER's variable tracking (arXiv 2404.06654): a number goes from variable to variable through repeated noise, and
 * all of them are asked for.
 *
 * One answered example with names and a number of its own stands before it, as in
 * the published data. Prompts are RULER's to the letter.
 */
import * as z from 'zod';
import { loaderDigest } from '../files/data-folder.js';
import { fillFields } from '../files/fields.js';
import { randomFor, type Random } from '../../base/random.js';
import type { SampleRequest } from '../one-question.js';
import type { Task } from '../types.js';
import { noiseHaystack } from './haystack.js';
import { distinct, letters, UPPER_CASE } from './letters.js';
import { fractionFound } from './score.js';
import { checkSmallest, largestSample, type Sizing } from './sized.js';
import { NOISE } from './templates.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'ruler/vt 2';
const NAME = 'ruler/vt';
const MAX_NEW_TOKENS = 30;

const HEADER = 'Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n';
const QUESTION = '\nQuestion: Find all variables that are assigned the value {query} in the text above.';
/** As RULER's generator has it since "assgined" was mended there; data made before, such as the hub copy, may have that. */
const ANSWER_PREFIX =
  'Answer: According to the chain(s) of variable assignment in the text above, ' +
  '{num_v} variables are assigned the value {query}, they are: ';

const HOPS = 4;
const NAME_LENGTH = { task: 5, example: 3 } as const;
const EXAMPLE_SENTENCES = 5;

interface Chain {
  readonly names: readonly string[];
  readonly value: string;
}

export const vtTask: Task<Record<string, never>> = {
  name: NAME,
  family: 'ruler',
  summary: `${HOPS + 1} variables to name, which pass on a number through repeated noise`,
  source: 'RULER, arXiv 2404.06654; generated here',
  notes: [
    'The answer prefix spells "assigned"; releases of RULER differ in that word ("assgined" in the first), and ruler-hub/vt has whatever its rows have.',
  ],
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

function draw(request: SampleRequest<unknown>): Sizing {
  const { contextLength, seed, index } = request;
  const random = randomFor(NAME, contextLength, seed, index);
  const [value, exampleValue] = distinct(2, () => String(10_000 + random.below(90_000)));
  const chain = { names: drawNames(random, NAME_LENGTH.task), value: value! };
  const example = { names: drawNames(random, NAME_LENGTH.example), value: exampleValue! };

  const noise = noiseHaystack(contextLength);
  const exampleText = answered(example, noise.build(EXAMPLE_SENTENCES, assignments(example), random).text);
  return {
    contextOf: (count) => {
      const places = randomFor(NAME, contextLength, seed, index, 'places');
      return `${exampleText}\n${HEADER}${noise.build(count, assignments(chain), places).text}`;
    },
    question: filled(QUESTION, chain),
    answerPrefix: filled(ANSWER_PREFIX, chain),
    answers: chain.names,
    maxNewTokens: MAX_NEW_TOKENS,
    unit: 'sentences of noise, an example',
    least: noise.least,
    stride: contextLength < 4096 ? 5 : 10,
  };
}

function drawNames(random: Random, length: number): string[] {
  return distinct(
    HOPS + 1,
    () => letters(random, UPPER_CASE, length),
    `VAR ${HEADER}${NOISE}${QUESTION}${ANSWER_PREFIX}`,
  );
}

/** `VAR A = 12345`, then `VAR B = VAR A ` and so on; all but the first end in a space. */
function assignments({ names, value }: Chain): string[] {
  return names.map((name, i) => (i === 0 ? `VAR ${name} = ${value}` : `VAR ${name} = VAR ${names[i - 1]!} `));
}

/** A whole prompt with its answer behind it, and a line break. */
function answered(chain: Chain, text: string): string {
  const prompt = `${HEADER}${text}${filled(QUESTION, chain)} ${filled(ANSWER_PREFIX, chain)}`;
  return `${prompt} ${chain.names.join(' ')}\n`;
}

function filled(template: string, { names, value }: Chain): string {
  return fillFields(template, { num_v: String(names.length), query: value });
}
