/** What every method must hold to on a real forward pass: the tiny llama, on every engine present. */
import { expect } from 'chai';
import type { LayerPlan } from '../../src/cache/types.js';
import { openEngine } from '../../src/engine/index.js';
import type { Engine } from '../../src/engine/types.js';
import { observationsOf } from '../support/planning.js';
import { randomFrom } from '../cache/support.js';
import { maxDifference } from '../golden/support.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import { attendAsDecoded, randomTokens } from './attending.js';
import type { MethodEntry, Params } from './every-method.js';
import { expectKept } from './properties-any-layer.js';
import { stepsFrom, TinyRun, type Registry } from './tiny-run.js';

/** Absolute, on logits: between engines, and where nothing is compressed. */
const ENGINE_TOLERANCE = 2e-3;
const IDENTITY_TOLERANCE = 1e-4;

export function tinyModelProperties(entry: MethodEntry, registry: Registry): void {
  const method = registry.get(entry.method)!;
  const stepsOf = (params: Params) => stepsFrom(registry, [[entry.method, params]]);
  const open = async (engine: Engine): Promise<TinyRun> => {
    const all = [...entry.samples, ...entry.identity, ...entry.rising];
    const pipelines = all.map((params) => ({ label: '', steps: stepsOf(params) }));
    return TinyRun.open(engine, registry, observationsOf(pipelines, registry));
  };

  let run: TinyRun;
  before(async () => {
    run = await open(await openEngine('wasm'));
  });
  after(() => {
    run.dispose();
  });

  for (const params of entry.samples) {
    it(`compresses: ${JSON.stringify(params)}`, async () => {
      const steps = stepsOf(params);
      const mine = await run.for(steps);
      const plans = mine.plan(steps);
      plans.forEach((plan, layer) => {
        if (entry.alwaysKept !== undefined)
          expectKept(run.traces[layer]!, plan, entry.alwaysKept(steps[0]!.params));
      });
      const evicts = method.axis === 'token' && method.evictsWhileDecoding?.(steps[0]!.params) === true;
      expect(plans.some((plan) => plan.decode !== undefined)).to.equal(evicts);
      expect(maxDifference(mine.logits(steps), run.logits([]))).to.be.above(IDENTITY_TOLERANCE);
    });

    it(`attends to what decode() reads: ${JSON.stringify(params)}`, async () => {
      const mine = await run.for(stepsOf(params));
      const plans = mine.plan(stepsOf(params));
      mine.withCaches(stepsOf(params), (caches) => {
        caches.forEach((cache, layer) => {
          const trace = mine.traces[layer]!;
          attendAsDecoded(cache, trace, plans[layer]!, randomTokens(trace, 2, randomFrom(layer)));
        });
      });
    });
  }

  for (const params of entry.identity) {
    it(`gives the full cache's logits: ${JSON.stringify(params)}`, () => {
      expect(maxDifference(run.logits(stepsOf(params)), run.logits([]))).to.be.below(IDENTITY_TOLERANCE);
    });
  }

  if (method.axis === 'rank') {
    it("gives the full cache's logits on factors of full rank", async () => {
      const mine = await run.onFactors(0);
      expect(maxDifference(mine.logits(stepsOf(entry.samples[0]!)), run.logits([]))).to.be.below(
        ENGINE_TOLERANCE,
      );
    });
  }

  it('takes fewer bytes the more is compressed', async () => {
    const bytes = [run.bytes([])];
    for (const params of entry.rising) {
      bytes.push((await run.for(stepsOf(params))).bytes(stepsOf(params)));
      expect(bytes.at(-1), JSON.stringify(params)).to.be.below(bytes.at(-2)!);
    }
    expect(bytes).to.have.length.above(2);
  });

  for (const engineName of TESTED_ENGINES.filter((name) => name !== 'wasm')) {
    it(`gives the same on ${engineName}`, async function () {
      const there = await open(await engineOrSkip(this, engineName));
      try {
        for (const params of entry.samples) {
          const steps = stepsOf(params);
          const [mine, other] = [await run.for(steps), await there.for(steps)];
          expect(positions(other.plan(steps)), JSON.stringify(params)).to.deep.equal(
            positions(mine.plan(steps)),
          );
          expect(maxDifference(other.logits(steps), mine.logits(steps))).to.be.below(ENGINE_TOLERANCE);
        }
      } finally {
        there.dispose();
      }
    });
  }
}

function positions(plans: readonly LayerPlan[]): number[][][] {
  return plans.map(({ tokens }) => tokens.map((kept) => [...kept]));
}
