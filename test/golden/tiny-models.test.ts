/** Tiny models of all architectures against the numbers of the released code, on every engine present. */
import { expect } from 'chai';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import type { LayerCache, LayerPlan } from '../../src/cache/types.js';
import type { Engine } from '../../src/engine/types.js';
import { openKernels } from '../../src/kernels/index.js';
import { observationsOf, planLayer } from '../../src/methods/pipeline.js';
import type { MethodStep } from '../../src/methods/types.js';
import { logitsAfter, type DecodeRow } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import { loadTinyModel } from '../support/tiny-model.js';
import { GOLDEN_DIR, goldenModels, maxDifference, readGolden, stepsOf } from './support.js';

/** Absolute, on logits with float32 caches. */
const LOGIT_TOLERANCE = 2e-3;

for (const engineName of TESTED_ENGINES) {
  describe(`golden tiny models on ${engineName}`, () => {
    let engine: Engine;
    before(async function () {
      engine = await engineOrSkip(this, engineName);
    });

    for (const name of goldenModels) {
      describe(name, () => {
        const golden = readGolden(name);
        let model: Transformer;
        before(() => {
          model = loadTinyModel(engine, name, GOLDEN_DIR);
        });
        after(() => {
          model.dispose();
        });

        it('prefill logits', async () => {
          const logits = await prefill(model, {
            ids: golden.context_ids,
            observations: [],
            onLayer: () => undefined,
          });
          expect(maxDifference(logits, golden.prefill_last_logits)).to.be.below(LOGIT_TOLERANCE);
        });

        for (const pipeline of golden.pipelines) {
          const steps = stepsOf(pipeline.name);
          it(pipeline.name, async function () {
            if (steps === undefined) {
              this.skip();
            }
            const { row, plans } = await compress(model, golden.context_ids, steps);
            try {
              if (pipeline.kept_positions !== null) {
                expect(plans.map((plan) => plan.tokens.map((t) => [...t]))).to.deep.equal(
                  pipeline.kept_positions,
                );
              }
              let logits = logitsAfter(model, [row], [golden.suffix_ids])[0]!;
              expect(maxDifference(logits, pipeline.logits_after_suffix)).to.be.below(LOGIT_TOLERANCE);
              for (const expected of pipeline.greedy_ids) {
                const { best, margin } = bestTwo(logits);
                if (margin <= 2 * LOGIT_TOLERANCE) break;
                expect(best).to.equal(expected);
                logits = logitsAfter(model, [row], [[best]])[0]!;
              }
            } finally {
              for (const cache of row.caches) cache.free();
            }
          });
        }
      });
    }
  });
}

async function compress(
  model: Transformer,
  ids: readonly number[],
  steps: readonly MethodStep[],
): Promise<{ row: DecodeRow; plans: LayerPlan[] }> {
  const kernels = openKernels();
  const plans: LayerPlan[] = [];
  const caches: LayerCache[] = [];
  await prefill(model, {
    ids,
    observations: observationsOf([{ label: '', steps }]),
    onLayer: (trace) => {
      const plan = planLayer(trace, steps);
      plans.push(plan);
      caches.push(encodeLayer(trace, plan, 'float32', kernels));
    },
  });
  return { row: { caches, position: ids.length }, plans };
}

function bestTwo(logits: Float32Array): { best: number; margin: number } {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  let second = -Infinity;
  logits.forEach((value, i) => {
    if (i !== best && value > second) second = value;
  });
  return { best, margin: logits[best]! - second };
}
