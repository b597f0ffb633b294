/** Pipelines that make no sense are refused where they stand, before anything runs. */
import { expect } from 'chai';
import * as z from 'zod';
import { SpecDocument } from '../../src/experiment/document.js';
import { resolveSpec } from '../../src/experiment/load.js';
import type { SpecCatalogue } from '../../src/experiment/types.js';
import { problemsOf, specText } from './support.js';

const params = z.strictObject({ ratio: z.number().min(0).lt(1).default(0.5).describe('removed') });

type Listed = SpecCatalogue['methods'] extends ReadonlyMap<string, infer M> ? M : never;

const catalogue: SpecCatalogue = {
  methods: new Map<string, Listed>([
    ['evict', { params, axis: 'token' }],
    ['other', { params, axis: 'token' }],
    [
      'live',
      {
        params: z.strictObject({ while_decoding: z.boolean().default(true).describe('goes on') }),
        axis: 'token',
        evictsWhileDecoding: (given) => (given as { while_decoding: boolean }).while_decoding,
      },
    ],
    [
      'prune',
      {
        params,
        axis: 'channel',
        prunes: (given) => ((given as { ratio: number }).ratio === 0 ? [] : ['keys']),
      },
    ],
    ['thin', { params, axis: 'channel', prunes: () => ['values', 'keys'] }],
    ['narrow', { params, axis: 'channel', prunes: () => ['values'] }],
    ['factor', { params, axis: 'rank' }],
    ['round', { params, axis: 'precision' }],
  ]),
  tasks: new Map([['ruler/one', { params: z.strictObject({}), family: 'ruler' }]]),
  models: ['spark-nano'],
};

const load = (cache: string): string[] =>
  resolveSpec(SpecDocument.parse(specText({ cache }), 'my.yaml'), {
    catalogue,
    directory: '/work-folder',
  }).pipelines.map(({ label }) => label);

describe('composition in a spec', () => {
  it('takes positions, then channels or latents, then bits', () => {
    for (const steps of [
      'evict, other, prune, round',
      'evict, factor, round',
      'prune, narrow, round',
      'thin, {prune: {ratio: 0}}',
      'evict, live',
      'other, {live: {while_decoding: false}}, prune',
    ]) {
      expect(load(`[[${steps}]]`), steps).to.have.length(2);
    }
  });

  for (const [steps, column, reason] of [
    ['prune, evict', 17, /^evict cannot follow prune: channel masks belong to the tokens .*; evict first$/],
    ['factor, evict', 18, /^evict cannot follow factor: latents .*; evict first$/],
    ['round, evict', 17, /^evict cannot follow round: scales belong to the tokens .*; evict first$/],
    ['evict, factor, {factor: {ratio: 0.1}}', 26, /^factor cannot follow factor: each needs weights/],
    ['factor, prune', 18, /^prune cannot follow factor: latents have no channels/],
    ['prune, factor', 17, /^factor cannot follow prune: .*use one of the two$/],
    [
      'round, {round: {ratio: 0.1}}',
      18,
      /^round cannot follow round: .*quantised already; use one of the two$/,
    ],
    ['round, prune', 17, /^prune cannot follow round: .*quantise last$/],
    ['round, {factor: null}', 18, /^factor cannot follow round: .*quantise last$/],
    [
      'live, evict',
      16,
      /^evict cannot follow live: live goes on evicting while decoding; list evict before it$/,
    ],
    ['live, live', 16, /^live cannot follow live: only one method can evict while decoding/],
    [
      'live, prune',
      16,
      /^prune cannot follow live: live evicts while decoding, from plain .*use one of the two$/,
    ],
    [
      'prune, live',
      17,
      /^live cannot follow prune: live evicts while decoding, from plain .*use one of the two$/,
    ],
    [
      'prune, thin',
      17,
      /^thin cannot follow prune: both prune channels of the keys; use one of the two for them$/,
    ],
    ['narrow, prune, thin', 25, /^thin cannot follow narrow: both prune channels of the values/],
    [
      '{prune: {ratio: [0, 0.5]}}, {prune: null}',
      39,
      /^prune cannot follow prune: both prune channels of the keys/,
    ],
    ['evict, live, round', 23, /^round cannot follow live: live evicts while decoding/],
    ['{live: {while_decoding: [false, true]}}, prune', 51, /^prune cannot follow live/],
  ] as const) {
    it(`refuses [${steps}]`, () => {
      const problems = problemsOf(() => load(`[[${steps}]]`));
      expect(problems).to.have.length(1);
      const [place, message] = problems[0]!.split('  ');
      expect(place).to.equal(`my.yaml:5:${column}`);
      expect(message).to.match(reason);
    });
  }

  it('refuses each pipeline of a list on its own', () => {
    expect(problemsOf(() => load('[[prune, evict], evict, [round, prune]]'))).to.have.length(2);
  });
});
