/** H2O in its four meanings, each against its definition. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { h2o } from '../../../src/methods/token/h2o.js';
import { attentionSums, windowAttention } from '../../../src/methods/observations.js';
import { planLayer } from '../../support/planning.js';
import { randomFrom } from '../../cache/support.js';
import { readMethodGolden } from '../../golden/methods/golden-run.js';
import { best, drive, heldPlan, softmax, traceOf, type LiveShape } from '../live-support.js';
import { goldenTrace } from '../support.js';

const paramsOf = (written: Record<string, unknown>) => h2o.params.parse(written);

/** Random sums of a prompt, and what each position has gathered in each KV head. */
function prompt(shape: LiveShape, random: () => number) {
  const { kvHeads, group, length: S } = shape;
  const sums = Float32Array.from({ length: kvHeads * group * S }, () => 5 * random()); // [H, S]
  const gathered = Array.from({ length: kvHeads }, (_, h) => {
    const of = (t: number) =>
      Array.from({ length: group }, (_, g) => sums[(h * group + g) * S + t]!).reduce((a, b) => a + b);
    return new Map(Array.from({ length: S }, (_, t) => [t, of(t)]));
  });
  return { trace: traceOf(shape, [[attentionSums, sums]]), gathered };
}

const shapes = {
  seed: fc.nat(),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 8 }),
  length: fc.integer({ min: 1, max: 40 }),
};

const keptBy = (trace: LayerTrace, written: Record<string, unknown>) =>
  h2o.plan(trace, paramsOf(written), fullPlan(trace)).tokens.map((tokens) => [...tokens]);

describe('h2o', () => {
  it('original: keeps, at every step, the newest tokens and those that have gathered most so far', () => {
    const choices = fc.record({
      ...shapes,
      recent: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      more: fc.integer({ min: 1, max: 10 }),
      earlier: fc.boolean(),
    });
    fc.assert(
      fc.property(choices, ({ seed, recent, more, earlier, ...shape }) => {
        const random = randomFrom(seed);
        const { trace, gathered } = prompt(shape, random);
        const budget = (recent ?? 2) + more;
        const newest = recent ?? Math.floor(budget / 2);
        const given = earlier ? heldPlan(trace, random) : fullPlan(trace);
        const expectChosen = (h: number, held: readonly number[], staying: readonly number[]) => {
          if (held.length <= budget) {
            expect(staying).to.deep.equal(held);
            return;
          }
          const older = new Map(held.slice(0, -newest).map((p) => [p, gathered[h]!.get(p)!]));
          expect(staying).to.deep.equal([...best(older, budget - newest), ...held.slice(-newest)]);
        };
        const plan = h2o.plan(trace, paramsOf({ variant: 'original', budget, recent }), given);
        plan.tokens.forEach((tokens, h) => {
          expectChosen(h, [...given.tokens[h]!], [...tokens]);
        });
        drive(
          { trace, plan, steps: 25, random },
          (h, token, held, logits) => {
            gathered[h]!.set(token, 0);
            for (const row of logits) {
              const weights = softmax(row);
              held.forEach((position, i) => {
                gathered[h]!.set(position, gathered[h]!.get(position)! + weights[i]!);
              });
            }
          },
          expectChosen,
        );
        const policy = plan.decode!.start(plan.tokens);
        expect(policy.bytes()).to.equal(4 * plan.tokens.reduce((total, { length }) => total + length, 0));
      }),
      { numRuns: 150 },
    );
  });

  it('kvpress: mean over the queries that see a token, none exempt; prefill: the sum, the newest exempt', () => {
    fc.assert(
      fc.property(fc.record(shapes), fc.integer({ min: 3, max: 12 }), ({ seed, ...shape }, budget) => {
        const { trace, gathered } = prompt(shape, randomFrom(seed));
        const S = shape.length;
        const keep = Math.min(budget, S);
        const mean = gathered.map(
          (sums) => new Map([...sums].map(([t, sum]): [number, number] => [t, sum / (S - t)])),
        );
        expect(keptBy(trace, { budget })).to.deep.equal(mean.map((scores) => best(scores, keep)));
        const newest = gathered.map(
          (sums) => new Map([...sums].map(([t, sum]): [number, number] => [t, t >= S - 2 ? Infinity : sum])),
        );
        expect(keptBy(trace, { budget, variant: 'prefill', recent: 2 })).to.deep.equal(
          newest.map((scores) => best(scores, keep)),
        );
      }),
    );
  });

  it('evicts while decoding in the variant original only, and not at ratio 0', () => {
    for (const [written, evicts] of [
      [{ variant: 'original', budget: 9 }, true],
      [{ variant: 'original', ratio: 0 }, false],
      [{ variant: 'prefill', budget: 40 }, false],
      [{ variant: 'window', budget: 40 }, false],
      [{ budget: 9 }, false],
    ] as const) {
      expect(h2o.evictsWhileDecoding!(paramsOf(written)), JSON.stringify(written)).to.equal(evicts);
    }
  });

  it('original: a ratio is of the prompt, half of it for the newest tokens', () => {
    const { trace } = prompt({ kvHeads: 1, group: 2, length: 40 }, randomFrom(3));
    const plan = h2o.plan(trace, paramsOf({ variant: 'original', ratio: 0.75 }), fullPlan(trace));
    expect(plan.decode!.budget).to.equal(10);
    expect([...plan.tokens[0]!].slice(-5)).to.deep.equal([35, 36, 37, 38, 39]);
    expect(() => keptBy(trace, { variant: 'original', ratio: 0.99 })).to.throw(UserError, 'h2o would keep 0');
  });

  it('refuses budgets that leave nothing beside the newest tokens', () => {
    for (const [written, good] of [
      [{ variant: 'original', budget: 1 }, false],
      [{ variant: 'original', budget: 2 }, true],
      [{ variant: 'original', budget: 8, recent: 8 }, false],
      [{ variant: 'prefill', budget: 32 }, false],
      [{ variant: 'window', budget: 33 }, true],
      [{ budget: 1 }, true],
    ] as const) {
      expect(h2o.params.safeParse(written).success, JSON.stringify(written)).to.equal(good);
    }
  });

  it('asks for nothing at ratio 0 and with a budget above the prompt', () => {
    const { trace } = prompt({ kvHeads: 2, group: 2, length: 40 }, randomFrom(4));
    for (const params of [
      { ratio: 0 },
      { variant: 'original', ratio: 0 },
      { variant: 'original', budget: 41 },
    ]) {
      const plan = planLayer(trace, [{ method: 'h2o', params: paramsOf(params) }]);
      expect(plan.tokens).to.deep.equal(fullPlan(trace).tokens);
    }
  });

  it('window: keeps what the released code of ThinK keeps under this name, with keys for each query head', () => {
    const { pipelines } = readMethodGolden('think') as {
      pipelines: readonly { name: string; kept_positions: readonly (readonly (readonly number[])[])[] }[];
    };
    const golden = pipelines.find(({ name }) => name.startsWith('h2o-window capacity=96 window=32'))!;
    golden.kept_positions.forEach((positions, layer) => {
      const grouped = goldenTrace(layer, [windowAttention(32)]);
      const trace = { ...grouped, kvHeads: grouped.heads };
      expect(keptBy(trace, { variant: 'window', budget: 96 })).to.deep.equal(positions);
    });
  });
});
