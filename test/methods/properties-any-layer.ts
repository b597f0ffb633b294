/** What every method must hold to on layers of any shape: prompts of one token, groups of 1 to 8 heads, widths to 256. */
import { expect } from 'chai';
import fc from 'fast-check';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { checkPlan, fullPlan } from '../../src/cache/plan.js';
import type { LayerPlan, LayerTrace } from '../../src/cache/types.js';
import { UserError } from '../../src/base/errors.js';
import { openKernels } from '../../src/kernels/index.js';
import { atOnce, observationsOf, planLayer } from '../support/planning.js';
import type { MethodStep } from '../../src/methods/types.js';
import { randomFrom } from '../cache/support.js';
import { anyTrace, type TraceShape } from './any-trace.js';
import { attendAsDecoded, expectAttendsTogether, randomTokens } from './attending.js';
import type { MethodEntry, Params } from './every-method.js';
import { stepsFrom, type Registry } from './tiny-run.js';

const kernels = openKernels();

const layers = fc.record({
  seed: fc.nat(),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  group: fc.integer({ min: 1, max: 8 }),
  headDim: fc.oneof(
    fc.constantFrom(32, 64),
    fc.integer({ min: 4, max: 32 }).map((eighth) => 8 * eighth),
  ),
  length: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 11, max: 60 })),
  dtype: fc.constantFrom('float32' as const, 'bfloat16' as const),
});

/** What a method says where parameters do not suit a layer; any other error is a fault. */
const TOO_LITTLE = /changed nothing|would keep \d+ of|prunes none of|keeps none of/;

interface Layer {
  readonly trace: LayerTrace;
  readonly steps: MethodStep[];
  readonly random: () => number;
  readonly dtype: 'float32' | 'bfloat16';
}

export function anyLayerProperties(entry: MethodEntry, registry: Registry): void {
  const method = registry.get(entry.method)!;

  const layerOf = (c: { seed: number; group: number } & Omit<TraceShape, 'heads'>, steps: MethodStep[]) => {
    const random = randomFrom(c.seed);
    const { kvHeads, headDim, length } = c;
    const needs = {
      observations: observationsOf([{ label: '', steps }], registry),
      lowRank: steps.some(({ method: name }) => registry.get(name)!.axis === 'rank'),
    };
    return { trace: anyTrace({ heads: c.group * kvHeads, kvHeads, headDim, length }, needs, random), random };
  };

  /** Runs `check` on layers that the method can compress; how often it could is told by `compressed`. */
  const onLayers = (
    choices: readonly Params[],
    before: MethodStep[],
    check: (layer: Layer, plan: LayerPlan) => void,
  ) => {
    let compressed = 0;
    fc.assert(
      fc.property(layers, fc.constantFrom(...choices), (c, params) => {
        const steps = [...before, ...stepsFrom(registry, [[entry.method, params]])];
        const { trace, random } = layerOf(c, steps);
        const plan = planOrMistake(trace, steps, registry);
        if (plan === undefined) return;
        compressed++;
        check({ trace, steps, random, dtype: c.dtype }, plan);
      }),
      { numRuns: 25 },
    );
    expect(compressed, 'layers that could be compressed').to.be.above(4);
  };

  it('plans what can be stored, the same every time, and changes nothing that it is given', () => {
    onLayers(entry.samples, [], ({ trace, steps }, plan) => {
      checkPlan(trace, plan);
      const { once: _, ...numbers } = trace;
      const [before, given] = [structuredClone(numbers), fullPlan(trace)];
      expect(plain(atOnce(method.plan(trace, steps[0]!.params, given)))).to.deep.equal(plain(plan));
      expect(numbers).to.deep.equal(before);
      expect(given).to.deep.equal(fullPlan(trace));
      for (const tokens of plan.tokens) expect(tokens).to.not.be.empty;
      if (entry.alwaysKept !== undefined) expectKept(trace, plan, entry.alwaysKept(steps[0]!.params));
    });
  });

  if (method.axis === 'channel') {
    it('prunes the sides that it says it prunes, and no others', () => {
      onLayers(entry.samples, [], ({ trace, steps }) => {
        const given = fullPlan(trace);
        const { keys, values } = atOnce(method.plan(trace, steps[0]!.params, given));
        const pruned = [
          ...(keys === given.keys ? [] : ['keys']),
          ...(values === given.values ? [] : ['values']),
        ];
        expect(method.prunes(steps[0]!.params)).to.have.members(pruned);
      });
    });
  }

  it('attends finitely to what decode() reads, one by one and together, and gives its memory back', () => {
    onLayers(entry.samples, [], ({ trace, random, dtype }, plan) => {
      const before = kernels.memory.bytesInUse;
      const [one, other] = [0, 1].map(() => encodeLayer(trace, plan, dtype, kernels));
      const tokens = randomTokens(trace, 5, random);
      const alone = attendAsDecoded(one!, trace, plan, tokens);
      expectAttendsTogether(other!, tokens, alone);
      one!.free();
      other!.free();
      expect(kernels.memory.bytesInUse).to.equal(before);
    });
  });

  it('chooses only among the tokens that an earlier step has kept', () => {
    const earlier = stepsFrom(registry, [['streaming_llm', { ratio: 0.25, sinks: 0 }]]);
    onLayers(entry.samples, earlier, ({ trace }, plan) => {
      checkPlan(trace, plan);
      const held = planLayer(trace, earlier, registry).tokens;
      plan.tokens.forEach((tokens, head) => {
        expect([...held[head]!]).to.include.members([...tokens]);
      });
    });
  });

  if (entry.identity.length > 0) {
    it('asking for nothing keeps everything, whatever the prompt', () => {
      onLayers(entry.identity, [], ({ trace, steps }, plan) => {
        expect(method.asksForNothing(trace, steps[0]!.params, fullPlan(trace))).to.equal(true);
        expect(plan.tokens).to.deep.equal(fullPlan(trace).tokens);
        const cache = encodeLayer(trace, plan, 'float32', kernels);
        const { keys, values } = cache.decode();
        cache.free();
        for (const [name, heads] of Object.entries({ keys, values }) as [
          'keys' | 'values',
          Float32Array[],
        ][]) {
          const decoded = heads.flatMap((head) => [...head]);
          decoded.forEach((x, i) => {
            if (!(Math.abs(x - trace[name][i]!) < 1e-4)) expect(x, `${name}[${i}]`).to.equal(trace[name][i]);
          });
        }
      });
    });
  }

  for (const params of entry.refused) {
    it(`fails loudly on 8 tokens: ${JSON.stringify(params)}`, () => {
      const steps = stepsFrom(registry, [[entry.method, params]]);
      const { trace } = layerOf({ seed: 1, group: 2, kvHeads: 2, headDim: 64, length: 8 }, steps);
      expect(() => planLayer(trace, steps, registry)).to.throw(UserError, entry.method);
    });
  }
}

/** The plan, or undefined where the parameters do not suit the layer and the method says so. */
function planOrMistake(
  trace: LayerTrace,
  steps: readonly MethodStep[],
  registry: Registry,
): LayerPlan | undefined {
  try {
    return planLayer(trace, steps, registry);
  } catch (error) {
    if (error instanceof UserError && TOO_LITTLE.test(error.message)) return undefined;
    throw error;
  }
}

/** A plan without its functions. */
function plain({ tokens, keys, values, decode }: LayerPlan): unknown {
  return { tokens, keys, values, budget: decode?.budget };
}

/** Throws unless the first and last positions of the prompt are in every KV head's tokens. */
export function expectKept(
  { length }: LayerTrace,
  { tokens }: LayerPlan,
  { first, last }: { readonly first: number; readonly last: number },
): void {
  const always = Array.from({ length }, (_, t) => t).filter((t) => t < first || t >= length - last);
  for (const kept of tokens) expect([...kept]).to.include.members(always);
}
