/** MorphKV's policy against its equations over whole attention matrices, and against SnapKV and the released code. */
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerTrace } from '../../../src/cache/types.js';
import { UserError } from '../../../src/base/errors.js';
import { openKernels } from '../../../src/kernels/index.js';
import { morphkv } from '../../../src/methods/token/morphkv.js';
import { windowAttention, windowLogits } from '../../../src/methods/observations.js';
import { atOnce, planLayer } from '../../support/planning.js';
import { snapkv } from '../../../src/methods/token/snapkv.js';
import type { Method } from '../../../src/methods/types.js';
import { randomFrom, randomNumbers } from '../../cache/support.js';
import { readMethodGolden } from '../../golden/methods/golden-run.js';
import { best, drive, heldPlan, randomLogits, softmax, traceOf } from '../live-support.js';
import { goldenTrace, smallTrace } from '../support.js';

const paramsOf = (written: Record<string, unknown>) => morphkv.params.parse(written);

/** Attention of every token that was ever shown: token → position → a number per query head. */
class Rows {
  private readonly logits = new Map<number, ReadonlyMap<number, number[]>>();
  private readonly weights = new Map<number, ReadonlyMap<number, number[]>>();

  add(token: number, positions: readonly number[], logits: readonly (readonly number[])[]): void {
    const byPosition = (rows: readonly (readonly number[])[]) =>
      new Map(positions.map((position, i) => [position, rows.map((row) => row[i]!)]));
    this.logits.set(token, byPosition(logits));
    this.weights.set(token, byPosition(logits.map(softmax)));
  }

  /** F of the distant positions, by the last `window` tokens. */
  fused(
    distant: readonly number[],
    { window, fusion, select }: ReturnType<typeof paramsOf>,
  ): Map<number, number> {
    const sum = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0);
    const rows = [...this.logits.keys()].slice(-window).map((token) =>
      select === 'raw_logit_sum'
        ? softmax(distant.map((position) => sum(this.logits.get(token)!.get(position)!)))
        : distant.map((position) => {
            const heads = this.weights.get(token)!.get(position)!;
            return sum(heads) / heads.length;
          }),
    );
    return new Map(
      distant.map((position, i) => {
        const column = rows.map((row) => row[i]!);
        return [position, fusion === 'sum' ? sum(column) : Math.max(...column)];
      }),
    );
  }
}

/** Random logits of the last tokens of a prompt, and the same as the rows of KV head h. */
function promptLogits(
  shape: { kvHeads: number; group: number; length: number },
  window: number,
  random: () => number,
) {
  const { kvHeads, group, length: S } = shape;
  const w = Math.min(window, S);
  const rows = Array.from({ length: kvHeads }, () => new Rows());
  const all = new Float32Array(kvHeads * group * w * S).fill(-Infinity); // [H, w, S]
  for (let u = 0; u < w; u++) {
    const token = S - w + u;
    const seen = Array.from({ length: token + 1 }, (_, t) => t);
    rows.forEach((own, h) => {
      const logits = randomLogits(group, seen.length, random);
      own.add(token, seen, logits);
      logits.forEach((row, g) => {
        all.set(row, ((h * group + g) * w + u) * S);
      });
    });
  }
  return { observation: all, rows };
}

const choices = fc.record({
  seed: fc.nat(),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 8 }),
  length: fc.integer({ min: 1, max: 40 }),
  window: fc.integer({ min: 1, max: 12 }),
  distant: fc.integer({ min: 1, max: 12 }),
  fusion: fc.constantFrom('sum', 'max'),
  select: fc.constantFrom('raw_logit_sum', 'softmax_mean'),
  evict_at: fc.constantFrom('prefill_end', 'first_decode'),
  earlier: fc.boolean(),
});

describe('morphkv', () => {
  it('keeps, at every step, the recent tokens and the C with the largest fused attention', () => {
    fc.assert(
      fc.property(choices, ({ seed, distant, earlier, ...c }) => {
        const random = randomFrom(seed);
        const { window, fusion, select, evict_at } = c;
        const params = paramsOf({ budget: window + distant, window, fusion, select, evict_at });
        const { observation, rows } = promptLogits(c, window, random);
        const trace = traceOf(c, [[windowLogits(window), observation]]);
        const given = earlier ? heldPlan(trace, random) : fullPlan(trace);
        const expectChosen = (h: number, held: readonly number[], staying: readonly number[]) => {
          if (held.length <= params.budget!) {
            expect(staying).to.deep.equal(held);
            return;
          }
          const older = held.slice(0, -window);
          const chosen = best(rows[h]!.fused(older, params), distant);
          expect(staying).to.deep.equal([...chosen, ...held.slice(-window)]);
        };
        const plan = morphkv.plan(trace, params, given);
        plan.tokens.forEach((tokens, h) => {
          if (evict_at === 'prefill_end') expectChosen(h, [...given.tokens[h]!], [...tokens]);
          else expect(tokens).to.deep.equal(given.tokens[h]);
        });
        drive(
          { trace, plan, steps: 25, random },
          (h, token, held, logits) => {
            rows[h]!.add(token, held, logits);
          },
          expectChosen,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('counts the rows that it remembers: R of them, a float32 number per held token, after any number of steps', () => {
    const random = randomFrom(1);
    const shape = { kvHeads: 2, group: 2, length: 300 };
    const { observation } = promptLogits(shape, 8, random);
    const trace = traceOf(shape, [[windowLogits(8), observation]]);
    const plan = morphkv.plan(trace, paramsOf({ budget: 40, window: 8 }), fullPlan(trace));
    const cache = encodeLayer(trace, plan, 'bfloat16', openKernels());
    for (let i = 0; i < 30; i++) {
      const bytes = cache.bytes().index;
      expect(bytes).to.be.within(2 * 8 * (40 - 8) * 4, 2 * 8 * 41 * 4);
      const row = randomNumbers(2 * 8, random);
      cache.append(row, row, 1);
      cache.attend(randomNumbers(4 * 8, random), 1, new Float32Array(4 * 8));
    }
    cache.free();
  });

  it('evicts at the first step the same as at the end of the prefill, and holds the whole prompt until then', () => {
    const random = randomFrom(2);
    const shape = { kvHeads: 2, group: 3, length: 50 };
    const { observation } = promptLogits(shape, 6, random);
    const trace = traceOf(shape, [[windowLogits(6), observation]]);
    const [now, later] = ['prefill_end', 'first_decode'].map((evict_at) =>
      morphkv.plan(trace, paramsOf({ budget: 20, window: 6, evict_at }), fullPlan(trace)),
    );
    expect(later!.tokens).to.deep.equal(fullPlan(trace).tokens);
    const going = later!.decode!.start(later!.tokens).evict();
    const staying = later!.tokens.map((tokens, h) => tokens.filter((_, i) => !going[h]!.includes(i)));
    expect(staying).to.deep.equal(now!.tokens);
  });

  it('refuses a budget without a distant token, and asks for nothing at ratio 0', () => {
    expect(morphkv.params.safeParse({ budget: 32 }).success).to.equal(false);
    expect(morphkv.params.safeParse({ budget: 33 }).success).to.equal(true);
    const trace = traceOf({ kvHeads: 1, group: 1, length: 40 }, []);
    const plan = (params: Record<string, unknown>) =>
      planLayer(trace, [{ method: 'morphkv', params: paramsOf(params) }]);
    expect(plan({ ratio: 0 })).to.deep.equal(fullPlan(trace));
    expect(() => plan({ ratio: 0.5 })).to.throw(UserError, 'morphkv would keep 20 of 40 tokens');
  });

  it('fails where the attention is not finite', () => {
    const trace = traceOf({ kvHeads: 1, group: 1, length: 9 }, [
      [windowLogits(2), new Float32Array(2 * 9).fill(NaN)],
    ]);
    expect(() => morphkv.plan(trace, paramsOf({ budget: 4, window: 2 }), fullPlan(trace))).to.throw(
      UserError,
      'not finite',
    );
  });
});

describe('morphkv on real attention', () => {
  /** The same layer as if each query head had its own keys. */
  const ungrouped = (trace: LayerTrace): LayerTrace => ({ ...trace, kvHeads: trace.heads });

  const observations = (window: number) => [windowLogits(window), windowAttention(window)];

  it('softmax_mean with sum fusion first keeps what SnapKV without pooling keeps', () => {
    const traces = [
      ...[0, 1, 2].map((layer) => goldenTrace(layer, observations(16))),
      smallTrace({ heads: 6, kvHeads: 2, headDim: 16, length: 70 }, observations(16)),
    ];
    for (const trace of traces) {
      const kept = (method: 'morphkv' | 'snapkv', written: Record<string, unknown>) => {
        const used = (method === 'morphkv' ? morphkv : snapkv) as Method;
        const params = used.params.parse({ budget: 40, window: 16, ...written });
        return atOnce(used.plan(trace, params, fullPlan(trace))).tokens;
      };
      expect(kept('morphkv', { select: 'softmax_mean' })).to.deep.equal(kept('snapkv', { kernel: 1 }));
      expect(kept('morphkv', {})).to.not.deep.equal(kept('snapkv', { kernel: 1 }));
    }
  });

  const released = (
    readMethodGolden('morphkv') as {
      readonly released: readonly {
        readonly name: string;
        readonly params: { capacity: number; window: number; fusion: string; kv_heads: number };
        readonly first_step_kept?: readonly (readonly (readonly number[])[])[];
      }[];
    }
  ).released.filter(({ first_step_kept }) => first_step_kept !== undefined);

  it('there are cases of the released code', () => {
    expect(released).to.have.length(8);
  });

  for (const { name, params, first_step_kept } of released) {
    it(`the first eviction is the released code’s: ${name}`, () => {
      const { capacity: budget, window, fusion, kv_heads } = params;
      first_step_kept!.forEach((heads, layer) => {
        const grouped = goldenTrace(layer, [windowLogits(window)]);
        const trace = kv_heads === grouped.kvHeads ? grouped : ungrouped(grouped);
        const { tokens } = morphkv.plan(trace, paramsOf({ budget, window, fusion }), fullPlan(trace));
        // 200 is the current token.
        expect(tokens.map((kept) => [...kept, 200])).to.deep.equal(heads);
      });
    });
  }
});
