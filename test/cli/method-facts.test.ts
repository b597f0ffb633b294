import { expect } from 'chai';
import * as z from 'zod';
import { methodFacts, remarks } from '../../src/cli/method-facts.js';
import { methods } from '../../src/methods/built-in.js';
import { streamingLlm } from '../../src/methods/token/streaming-llm.js';
import type { Method } from '../../src/methods/types.js';

const params = z.strictObject({
  ratio: z.number().describe('removed'),
  variant: z.enum(['prefill', 'original', 'late']).default('prefill').describe('when'),
  live: z.boolean().default(true).describe('goes on'),
});
type Params = z.infer<typeof params>;

/** `streaming_llm`, as if it evicted while decoding under such parameters. */
const evicting = (when: (given: Params) => boolean): Method => ({
  ...streamingLlm,
  params,
  evictsWhileDecoding: (given) => when(given as Params),
});

describe('cli/method-facts', () => {
  it('says under which setting a method evicts while decoding', () => {
    const late = 'with variant=original or variant=late';
    for (const [when, words, remark] of [
      [() => true, 'yes', ['evicts while decoding']],
      [() => false, 'no', []],
      [({ variant }: Params) => variant !== 'prefill', late, [`evicts while decoding: ${late}`]],
      [
        ({ live }: Params) => live,
        'yes, unless live=false',
        ['evicts while decoding: yes, unless live=false'],
      ],
    ] as const) {
      expect(methodFacts(evicting(when))['evicts while decoding']).to.equal(words);
      expect(remarks(evicting(when))).to.deep.equal(remark);
    }
  });

  it('says that a method changes the weights', () => {
    const changing = methods.get('recalkv')!;
    expect(methodFacts(changing)['weights']).to.contain('spark-eval calibrate');
    expect(remarks(changing)).to.deep.equal(['changes the weights']);
    expect(methodFacts(methods.get('spark')!)).to.include({
      size: 'ratio or value_ratio or threshold',
      'evicts while decoding': 'no',
      weights: "the model's own",
    });
    expect(remarks(methods.get('spark')!)).to.be.empty;
  });
});
