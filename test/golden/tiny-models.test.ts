/** Tiny models of all architectures against the numbers of the released code, on every engine present. */
import { expect } from 'chai';
import type { Engine } from '../../src/engine/types.js';
import { logitsAfter } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import { loadTinyModel } from '../support/tiny-model.js';
import {
  bestTwo,
  compressGolden,
  GOLDEN_DIR,
  goldenModels,
  maxDifference,
  readGolden,
  stepsOf,
} from './support.js';

/** Of every case. */
const PROMPT_TOKENS = 200;
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
            const compressed = await compressGolden(model, golden.context_ids, steps);
            const { plans, keys } = compressed;
            let { row } = compressed;
            try {
              if (pipeline.kept_positions !== null) {
                const kept = plans.map((plan) => plan.tokens.map((t) => [...t]));
                if (pipeline.name.startsWith('knorm')) {
                  expectSameNorms(keys, kept, pipeline.kept_positions);
                  for (const cache of row.caches) cache.free();
                  ({ row } = await compressGolden(model, golden.context_ids, steps, pipeline.kept_positions));
                } else expect(kept).to.deep.equal(pipeline.kept_positions);
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

/**
 * A token that occurs twice has keys of equal norm in layer 0, in another order of float operations each time: where the
 * kept positions differ, the norms must not.
 */
function expectSameNorms(
  keys: readonly Float32Array[],
  kept: readonly (readonly (readonly number[])[])[],
  expected: readonly (readonly (readonly number[])[])[],
): void {
  kept.forEach((heads, layer) => {
    const length = PROMPT_TOKENS;
    heads.forEach((positions, head) => {
      const width = keys[layer]!.length / heads.length / length;
      const norm = (t: number): number => {
        const at = (head * length + t) * width;
        return Math.hypot(...keys[layer]!.subarray(at, at + width));
      };
      const theirs = expected[layer]![head]!;
      const mine = positions.filter((t) => !theirs.includes(t)).map(norm);
      const missed = theirs.filter((t) => !positions.includes(t)).map(norm);
      expect(mine.length, `layer ${layer}, KV head ${head}`).to.equal(missed.length).and.to.be.below(4);
      mine.sort().forEach((x, i) => expect(x).to.be.closeTo(missed.sort()[i]!, 1e-5 * x));
    });
  });
}
