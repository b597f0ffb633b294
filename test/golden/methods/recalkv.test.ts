/** ReCalKV end to end against the numbers of its released code: factors, latents in the cache, Fisher scores. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { factoriseModel } from '../../../src/calibration/factorise.js';
import { fisherScores } from '../../../src/calibration/fisher.js';
import type { Engine } from '../../../src/engine/types.js';
import { logitsAfter } from '../../../src/model/decode.js';
import type { FactorGroup } from '../../../src/model/low-rank.js';
import { openSafetensors } from '../../../src/checkpoint/safetensors.js';
import type { Transformer } from '../../../src/model/transformer.js';
import type { WeightSource } from '../../../src/checkpoint/types.js';
import { methodFixture } from '../../methods/support.js';
import { engineOrSkip, TESTED_ENGINES } from '../../support/engines.js';
import { loadTinyModel } from '../../support/tiny-model.js';
import { bestTwo, compressGolden, GOLDEN_DIR, maxDifference, readGolden } from '../support.js';

/** Absolute, on logits with float32 caches. */
const LOGIT_TOLERANCE = 1e-2;

interface EndToEnd {
  readonly name: string;
  readonly params: {
    readonly k_group_size: number;
    readonly k_ranks: readonly number[];
    readonly v_rank: number;
    readonly num_iter: number;
    readonly bytes_fp16_per_token_per_layer: number;
  };
  readonly logits_after_suffix: readonly number[];
  readonly greedy_ids: readonly number[];
}

const golden = JSON.parse(readFileSync(methodFixture('recalkv', 'golden.json'), 'utf8')) as {
  readonly calibration_ids: readonly (readonly number[])[];
  readonly fisher_of_the_tiny_llama: { readonly plain_shift: Readonly<Record<string, number>> };
  readonly end_to_end: readonly EndToEnd[];
};
const { context_ids: contextIds, suffix_ids: suffixIds } = readGolden('llama');

/** `[KV·D, E]` of the groups' factors. */
function dense(groups: readonly FactorGroup[], D: number): Float32Array {
  const heads = groups.reduce((total, group) => total + group.heads.length, 0);
  const E = groups[0]!.down.length / groups[0]!.rank;
  const weight = new Float32Array(heads * D * E);
  for (const { heads: mine, rank, down, up } of groups) {
    for (const [g, head] of mine.entries()) {
      for (let j = 0; j < D; j++) {
        for (let e = 0; e < E; e++) {
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += down[e * rank + k]! * up[(k * mine.length + g) * D + j]!;
          weight[(head * D + j) * E + e] = sum;
        }
      }
    }
  }
  return weight;
}

for (const engineName of TESTED_ENGINES) {
  describe(`golden recalkv on ${engineName}`, () => {
    let engine: Engine;
    let model: Transformer;
    let tensors: WeightSource;
    before(async function () {
      engine = await engineOrSkip(this, engineName);
    });
    beforeEach(() => {
      model = loadTinyModel(engine, 'llama', GOLDEN_DIR);
      tensors = openSafetensors(methodFixture('recalkv', 'tensors.safetensors'));
    });
    afterEach(() => {
      model.dispose();
      tensors.close();
    });

    it('Fisher scores', async () => {
      const scores = await fisherScores(model, golden.calibration_ids);
      const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
      for (const [layer, { keys, values }] of scores.entries()) {
        const expected = golden.fisher_of_the_tiny_llama.plain_shift;
        const place = `model.layers.${layer}.self_attn`;
        expect(mean(keys)).to.be.closeTo(expected[`${place}.k_proj`]!, 1e-5);
        expect(mean(values)).to.be.closeTo(expected[`${place}.v_proj`]!, 1e-5);
      }
    });

    for (const { name, params, ...expected } of golden.end_to_end.filter(({ name }) =>
      name.endsWith('form=clean'),
    )) {
      it(name, async () => {
        const { layers, headDim } = model.config;
        const factors = await factoriseModel(model, {
          sequences: golden.calibration_ids,
          ranks: Array.from({ length: layers }, () => ({ keys: params.k_ranks, values: params.v_rank })),
          params: { whitening: 'svd', grouping: 'released', iterations: params.num_iter },
        });
        const tensorName = name.replace(' form=clean', '');
        for (const [layer, { keys, values }] of factors.layers.entries()) {
          const key = tensors.read(`${tensorName}/released/layer${layer}.k_proj`);
          const value = tensors.read(`${tensorName}/clean/layer${layer}.v_proj`);
          expect(maxDifference(dense(keys, headDim), key)).to.be.below(1e-3);
          expect(maxDifference(dense(values, headDim), value)).to.be.below(1e-3);
        }

        const variant = model.withFactors(factors);
        const { row } = await compressGolden(variant, contextIds, [{ method: 'recalkv', params: {} }]);
        try {
          const bytes = row.caches[0]!.bytes();
          expect(bytes).to.deep.equal({
            value: 0,
            mask: 0,
            sign: 0,
            scale: 0,
            index: 0,
            latent: 2 * params.bytes_fp16_per_token_per_layer * contextIds.length,
          });
          let logits = logitsAfter(variant, [row], [suffixIds])[0]!;
          expect(maxDifference(logits, expected.logits_after_suffix)).to.be.below(LOGIT_TOLERANCE);
          for (const id of expected.greedy_ids) {
            const { best, margin } = bestTwo(logits);
            if (margin <= 2 * LOGIT_TOLERANCE) break;
            expect(best).to.equal(id);
            logits = logitsAfter(variant, [row], [[best]])[0]!;
          }
        } finally {
          for (const cache of row.caches) cache.free();
          variant.dispose();
        }
      });
    }
  });
}
