/** TOVA in both forms against its definition. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fullPlan } from '../../../src/cache/plan.js';
import { UserError } from '../../../src/base/errors.js';
import { windowAttention } from '../../../src/methods/observations.js';
import { tova } from '../../../src/methods/token/tova.js';
import { randomFrom } from '../../cache/support.js';
import { best, drive, heldPlan, softmax, traceOf } from '../live-support.js';

const paramsOf = (written: Record<string, unknown>) => tova.params.parse(written);

const choices = fc.record({
  seed: fc.nat(),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 8 }),
  length: fc.integer({ min: 1, max: 40 }),
  budget: fc.integer({ min: 1, max: 20 }),
  while_decoding: fc.boolean(),
  earlier: fc.boolean(),
});

/** Attention of the last query to each position, over all heads, and the trace that says so. */
function prompt(shape: { kvHeads: number; group: number; length: number }, random: () => number) {
  const heads = shape.kvHeads * shape.group;
  const rows = Array.from({ length: heads }, () =>
    softmax(Array.from({ length: shape.length }, () => 6 * random())),
  );
  const total = new Map(
    Array.from({ length: shape.length }, (_, t): [number, number] => [
      t,
      rows.reduce((sum, row) => sum + row[t]!, 0),
    ]),
  );
  return { trace: traceOf(shape, [[windowAttention(1), Float32Array.from(rows.flat())]]), total };
}

describe('tova', () => {
  it('keeps the same best attended tokens of all KV heads, after each token where asked to', () => {
    fc.assert(
      fc.property(choices, ({ seed, budget, while_decoding, earlier, ...shape }) => {
        const random = randomFrom(seed);
        const { trace, total } = prompt(shape, random);
        const given = earlier ? heldPlan(trace, random, true) : fullPlan(trace);
        const plan = tova.plan(trace, paramsOf({ budget, while_decoding }), given);
        const held = [...given.tokens[0]!];
        const last = shape.length - 1;
        const scores = new Map(
          held.map((t) => [t, t === last && !while_decoding ? Infinity : total.get(t)!] as const),
        );
        const staying = best(scores, Math.min(budget, held.length));
        for (const tokens of plan.tokens) expect([...tokens]).to.deep.equal(staying);
        expect(plan.decode?.budget).to.equal(while_decoding ? budget : undefined);
        if (!while_decoding) return;

        let attention = new Map<number, number>();
        drive(
          { trace, plan, steps: 20, random },
          (h, _token, positions, logits) => {
            if (h === 0) attention = new Map(positions.map((position) => [position, 0]));
            for (const row of logits.map(softmax)) {
              positions.forEach((position, i) => attention.set(position, attention.get(position)! + row[i]!));
            }
          },
          (_h, before, after) => {
            expect(after).to.deep.equal(best(attention, Math.min(budget, before.length)));
          },
        );
        expect(plan.decode!.start(plan.tokens).bytes()).to.equal(0);
      }),
      { numRuns: 150 },
    );
  });

  it('while decoding a ratio is of the prompt; ratio 0 asks for nothing', () => {
    const { trace } = prompt({ kvHeads: 2, group: 2, length: 21 }, randomFrom(1));
    const plan = (ratio: number) =>
      tova.plan(trace, paramsOf({ ratio, while_decoding: true }), fullPlan(trace));
    expect(plan(0.5).decode!.budget).to.equal(10);
    expect(plan(0)).to.deep.equal(fullPlan(trace));
    const evicts = (written: Record<string, unknown>) => tova.evictsWhileDecoding!(paramsOf(written));
    expect(evicts({ ratio: 0, while_decoding: true })).to.equal(false);
    expect(evicts({ ratio: 0.5, while_decoding: true })).to.equal(true);
    expect(evicts({ ratio: 0.5 })).to.equal(false);
  });

  it('while decoding the KV heads must hold the same tokens', () => {
    const { trace } = prompt({ kvHeads: 3, group: 1, length: 40 }, randomFrom(2));
    const given = heldPlan(trace, randomFrom(5));
    const plan = (while_decoding: boolean) =>
      tova.plan(trace, paramsOf({ budget: 10, while_decoding }), given);
    expect(() => plan(true)).to.throw(UserError, 'tova evicts the same tokens of all KV heads');
    expect(plan(false).tokens.map(({ length }) => length)).to.deep.equal([10, 10, 10]);
  });
});
