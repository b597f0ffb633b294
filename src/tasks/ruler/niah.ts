/**
 * RULER's eight needle-in-a-haystack tasks (arXiv 2404.06654): random values for random keys, hidden in a text.
 *
 * Random draws are ours; prompts and distributions are RULER's.
 */
import * as z from 'zod';
import { shippedFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import { textDigest } from '../files/data-folder.js';
import { randomFor } from '../../base/random.js';
import type { SampleRequest } from '../one-question.js';
import type { Task } from '../types.js';
import { essayParam, essayPath, essayRules, placementParam } from './essay.js';
import {
  essayHaystack,
  needleHaystack,
  noiseHaystack,
  type Haystack,
  type HaystackKind,
} from './haystack.js';
import type { Placed } from './pieces.js';
import { fractionFound } from './score.js';
import { checkSmallest, largestSample, type Sizing } from './sized.js';
import { Strings, WORD_LISTS, type KeyKind } from './strings.js';
import { ANSWER_PREFIX, fill, HEADER, listed, needle, QUESTION, type ValueKind } from './templates.js';

/** Part of every digest: to be raised whenever the same request would give another sample. */
const GENERATOR = 'ruler/niah 1';
const MAX_NEW_TOKENS = 128;

interface Variant {
  readonly haystack: HaystackKind;
  readonly key: KeyKind;
  readonly value: ValueKind;
  readonly keys: number;
  readonly valuesPerKey: number;
  readonly queries: number;
}

const single = { key: 'words', value: 'numbers', keys: 1, valuesPerKey: 1, queries: 1 } as const;

const VARIANTS: Readonly<Record<string, Variant>> = {
  niah_single_1: { ...single, haystack: 'noise' },
  niah_single_2: { ...single, haystack: 'essay' },
  niah_single_3: { ...single, haystack: 'essay', value: 'uuids' },
  niah_multikey_1: { ...single, haystack: 'essay', keys: 4 },
  niah_multikey_2: { ...single, haystack: 'needle' },
  niah_multikey_3: { ...single, haystack: 'needle', key: 'uuids', value: 'uuids' },
  niah_multivalue: { ...single, haystack: 'essay', valuesPerKey: 4 },
  niah_multiquery: { ...single, haystack: 'essay', keys: 4, queries: 4 },
};

export interface NiahParams {
  readonly essay?: string | undefined;
  readonly placement?: 'sentence' | 'border' | undefined;
}

const essayParams = z.strictObject({ essay: essayParam, placement: placementParam });

export const niahTasks: readonly Task<NiahParams>[] = Object.entries(VARIANTS).map(([name, variant]) => ({
  name: `ruler/${name}`,
  family: 'ruler',
  summary: summarise(variant),
  source: 'RULER, arXiv 2404.06654; generated here',
  params: variant.haystack === 'essay' ? essayParams : z.strictObject({}),
  open: (params, context) => {
    const task = `ruler/${name}`;
    const sizing = (request: SampleRequest<NiahParams>): Sizing => draw(task, variant, request);
    return {
      digest: digestOf(variant, params, context.files),
      sample: (index) => largestSample(task, { ...context, params, index }, sizing),
      check: (index) => {
        checkSmallest(task, { ...context, params, index }, sizing);
      },
      score: (answer, { answers }) => fractionFound(answer, answers),
    };
  },
}));

function draw(task: string, variant: Variant, request: SampleRequest<NiahParams>): Sizing {
  const { contextLength, seed, index } = request;
  const random = randomFor(task, contextLength, seed, index);
  const strings = new Strings(random, request.files);
  const hidden = Array.from({ length: variant.keys }, () => ({
    key: strings.key(variant.key),
    values: Array.from({ length: variant.valuesPerKey }, () => strings.value(variant.value)),
  }));
  const needles = random.shuffle(
    hidden.flatMap(({ key, values }) => values.map((value) => needle(variant.value, key, value))),
  );
  const asked = random.sample(hidden, variant.queries);
  const answers = asked.flatMap(({ values }) => values);
  const fields = {
    type: variant.value,
    query: listed(asked.map(({ key }) => key)),
    oneAnswer: answers.length === 1,
  };
  const header = fill(HEADER, fields);
  const haystack = haystackFor(variant, request, strings);
  const build = (count: number): Placed =>
    haystack.build(count, needles, randomFor(task, contextLength, seed, index, 'places'));
  return {
    contextOf: (count) => header + build(count).text,
    depthsOf: (count) => build(count).depths,
    question: fill(QUESTION, fields),
    answerPrefix: fill(ANSWER_PREFIX, fields),
    answers,
    maxNewTokens: MAX_NEW_TOKENS,
    unit: `${haystack.unit} of haystack`,
    least: haystack.least,
    stride: haystack.increment,
  };
}

function haystackFor(
  variant: Variant,
  { contextLength, params, files }: SampleRequest<NiahParams>,
  strings: Strings,
): Haystack {
  switch (variant.haystack) {
    case 'noise':
      return noiseHaystack(contextLength);
    case 'essay':
      return essayHaystack(files, essayPath(params.essay), params.placement);
    case 'needle': {
      const drawn: string[] = [];
      return needleHaystack(contextLength, (i) => {
        while (drawn.length <= i) {
          drawn.push(needle(variant.value, strings.key(variant.key), strings.value(variant.value)));
        }
        return drawn[i]!;
      });
    }
  }
}

function summarise({ haystack, key, value, keys, valuesPerKey, queries }: Variant): string {
  const place = { noise: 'repeated noise', essay: 'an essay', needle: 'other needles' }[haystack];
  const plural = (n: number, what: string) => `${n} ${n === 1 ? what.slice(0, -1) : what}`;
  return `${plural(queries * valuesPerKey, value)} to recall, ${plural(keys, `${key.slice(0, -1)} keys`)} hidden in ${place}`;
}

function digestOf(variant: Variant, params: NiahParams, files: DataFiles): string {
  const paths = [
    ...(variant.key === 'words' ? WORD_LISTS.map(shippedFile) : []),
    ...(variant.haystack === 'essay' ? [essayPath(params.essay)] : []),
  ];
  const rules = variant.haystack === 'essay' ? essayRules(files, essayPath(params.essay)) : '';
  return textDigest(files, GENERATOR + rules, paths);
}
