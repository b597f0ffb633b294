/** No parameter may be so large that a run never ends or runs out of memory. */
import { expect } from 'chai';
import { methods } from '../../src/methods/built-in.js';
import { inputSchema } from '../../src/base/describe.js';

/** Numbers without an upper bound, and why any is harmless. */
const UNBOUNDED: Readonly<Record<string, readonly string[]>> = {
  'capped at the prompt': ['budget', 'sinks', 'h2o.recent', 'spark.recent', 'think.recent'],
  'more than there is means all of it': [
    'kivi.group',
    'kivi.residual',
    'quant.group',
    'recalkv.group',
    'recalkv.multiple',
  ],
  'a divisor': ['pyramidkv.beta'],
  'a seed': ['recalkv.seed'],
};

describe('numbers in parameters', () => {
  const unbounded = Object.values(UNBOUNDED).flat();
  for (const [name, { params }] of methods) {
    it(`${name} has bounds for all that cost time or memory`, () => {
      const free = Object.entries(inputSchema(params).properties ?? {})
        .filter(
          ([, { type, enum: choices }]) => (type === 'number' || type === 'integer') && choices === undefined,
        )
        .filter(
          ([, { maximum, exclusiveMaximum }]) =>
            (maximum ?? exclusiveMaximum ?? Infinity) >= Number.MAX_SAFE_INTEGER,
        )
        .map(([key]) => key)
        .filter((key) => !unbounded.includes(key) && !unbounded.includes(`${name}.${key}`));
      expect(free).to.deep.equal([]);
    });
  }

  it('h2o bounds the queries that score, and not those that only stay', () => {
    const { params } = methods.get('h2o')!;
    const parse = (variant: string, recent: number) => params.safeParse({ budget: 5000, variant, recent });
    expect(parse('original', 2048).success).to.equal(true);
    expect(parse('window', 1024).success).to.equal(true);
    expect(parse('window', 1025).error?.issues.map(({ path }) => path)).to.deep.equal([['recent']]);
  });
});
