import { expect } from 'chai';
import { sumBytes } from '../../src/cache/bytes.js';
import { openKernels } from '../../src/kernels/index.js';
import { observationsOf } from '../support/planning.js';
import { methods } from '../../src/methods/built-in.js';
import type { MethodStep, Pipeline } from '../../src/methods/types.js';
import { expectedTensors } from '../../src/checkpoint/check-weights.js';
import { findModel } from '../../src/pull/models.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import { estimateBytes } from '../../src/estimate/bytes.js';
import { packerOf } from '../../src/estimate/packed-layers.js';
import {
  decodeWork,
  headWeights,
  layerWeights,
  matrixWeights,
  prefillOperations,
} from '../../src/estimate/work.js';

const configOf = (name: string) => parseConfig(findModel(name)!.config, undefined, name);
const llama = configOf('llama-3-8b-instruct');

/** A pipeline of steps with the methods' defaults filled in. */
function pipeline(...steps: readonly [method: string, params: Record<string, unknown>][]): Pipeline {
  const filled = steps.map(([method, params]): MethodStep => ({
    method,
    params: methods.get(method)!.params.parse(params) as MethodStep['params'],
  }));
  return { label: steps.map(([method]) => method).join('+') || 'full', steps: filled };
}

/** Windows of layers that see everything. */
const full = (layers: number): undefined[] => Array.from({ length: layers }, () => undefined);

describe('runner/estimate', () => {
  describe('the published configurations', () => {
    for (const name of ['llama-3-8b-instruct', 'llama-3.1-8b-instruct']) {
      it(`${name} has the parameters that its makers state`, () => {
        const shapes = [...expectedTensors(configOf(name)).values()];
        const count = shapes.reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);
        expect(count).to.equal(8_030_261_248).and.equal(findModel(name)!.parameters);
      });
    }
  });

  describe('estimateBytes', () => {
    const context = { methods, dtype: 'bfloat16' as const, kernels: openKernels() };
    const estimate = async (
      shape: Parameters<typeof estimateBytes>[0],
      length: number,
      ...pipelines: Pipeline[]
    ) => {
      const estimates = await estimateBytes(shape, length, pipelines, context);
      return estimates.map(({ estimate }) => estimate!);
    };
    const small = { layers: 4, heads: 4, kvHeads: 2, headDim: 128, windows: full(4) };

    it('sliding layers hold their window, and methods act on the others', async () => {
      const shape = { layers: 3, heads: 2, kvHeads: 1, headDim: 8, windows: [16, undefined, 16] };
      const step: [string, Record<string, unknown>] = ['streaming_llm', { ratio: 0.5 }];
      const eightOf = pipeline(['streaming_llm', { budget: 8 }]);
      const everywhere = {
        ...eightOf,
        steps: eightOf.steps.map((one) => ({ ...one, params: { ...one.params, layers: 'all' } })),
      };
      const [whole, half, eight] = await estimate(shape, 64, pipeline(), pipeline(step), everywhere);
      const token = 2 * 8 * 2;
      expect(whole).to.include({ storedBytes: (15 + 64 + 15) * token, fullBytes: (15 + 64 + 15) * token });
      expect(half).to.include({ storedBytes: (15 + 32 + 15) * token, keptTokens: (15 + 32 + 15) / 3 });
      // the sinks are behind the window in the layers that slide
      expect(eight!.storedBytes).to.equal((4 + 8 + 4) * token);
    });

    it('counts 2·N·KV·S·D·2 bytes for the full cache of Llama-3-8B', async () => {
      const [whole] = await estimate({ ...llama, layers: 2, windows: full(2) }, 64, pipeline());
      expect(whole).to.include({
        storedBytes: 2 * 2 * 8 * 64 * 128 * 2,
        keptTokens: 64,
        dependsOnData: false,
      });
      expect(whole!.fullBytes).to.equal(whole!.storedBytes);
    });

    it('has the bits of a real SparK layout: 16·T + D + D + 16 a key', async () => {
      for (const [ratio, bits] of [
        [0.5, 1296],
        [0.6, 1104],
        [0.7, 896],
        [0.8, 688],
      ] as const) {
        const [spark] = await estimate(small, 512, pipeline(['spark', { ratio }]));
        const channelVectors = small.layers * small.kvHeads * 128 * 2;
        const expected = (small.layers * small.kvHeads * 512 * (bits + 2048)) / 8 + channelVectors;
        // Sign bits are packed to whole bytes, per token or per head.
        expect(spark!.storedBytes).to.be.closeTo(expected, small.layers * small.kvHeads * 512);
        expect(spark!.dependsOnData).to.equal(false);
      }
    });

    it('sees that PyramidKV as released keeps 90 % at a small budget, and a pyramid with a ratio', async () => {
      const [fallback, pyramid] = await estimate(
        { ...small, layers: 32, kvHeads: 1, heads: 1, headDim: 8, windows: full(32) },
        7950,
        pipeline(['pyramidkv', { budget: 128 }]),
        pipeline(['pyramidkv', { ratio: 0.8 }]),
      );
      expect(fallback!.keptTokens).to.equal(7155);
      expect(pyramid!.keptTokens).to.be.closeTo(7950 * 0.2, 1);
    });

    it('says which sizes depend on the data', async () => {
      const [fixed, adaptive] = await estimate(
        small,
        256,
        pipeline(['spark', { ratio: 0.5 }]),
        pipeline(['spark', { adaptive: 'p' }]),
      );
      expect([fixed!.dependsOnData, adaptive!.dependsOnData]).to.deep.equal([false, true]);
      expect(sumBytes(adaptive!.stored)).to.equal(adaptive!.storedBytes);
    });

    it('reads long prompts off a line through shorter ones, and packs what bends', async () => {
      const shape = { layers: 3, heads: 1, kvHeads: 1, headDim: 8, windows: full(3) };
      const length = 20_000;
      const all = [
        pipeline(),
        pipeline(['think', { ratio: 0.5 }]),
        pipeline(['snapkv', { budget: 1024 }]),
        // Its blocks fall together with the steps between lengths.
        pipeline(['kivi', { bits: 4, residual: 128 }]),
        // These do not.
        pipeline(['kivi', { bits: 4, residual: 96 }]),
        // All tokens stay at every one of the shorter lengths.
        pipeline(['snapkv', { budget: 9000 }]),
        pipeline(['snapkv', { ratio: 0.8 }], ['spark', { ratio: 0.5 }]),
        pipeline(['pyramidkv', { ratio: 0.8 }]),
      ];
      const exact = packerOf(
        { shape, observations: observationsOf(all), methods, dtype: 'bfloat16', kernels: openKernels() },
        length,
      );
      const long = await estimate(shape, length, ...all);
      expect(long.slice(0, 6)).to.deep.equal(await Promise.all(all.slice(0, 6).map(exact)));
      // Kept tokens are rounded, in a pyramid in every layer.
      for (const [index, { storedBytes, keptTokens }] of long.entries()) {
        const { storedBytes: bytes, keptTokens: tokens } = await exact(all[index]!);
        expect(storedBytes / bytes, all[index]!.label).to.be.closeTo(1, 5e-3);
        expect(keptTokens / tokens, all[index]!.label).to.be.closeTo(1, 5e-3);
      }
    });

    it('has what is held behind an answer where tokens go while decoding', async () => {
      const rows = small.layers * small.kvHeads * 101;
      const [late, early, h2o] = await estimate(
        small,
        300,
        pipeline(['morphkv', { budget: 100, evict_at: 'first_decode' }]),
        pipeline(['morphkv', { budget: 100 }]),
        pipeline(['h2o', { budget: 100, variant: 'original' }]),
      );
      expect([late, early, h2o].map((bytes) => bytes!.keptTokens)).to.deep.equal([101, 100, 100]);
      for (const { stored } of [late!, early!]) {
        expect(stored).to.include({ value: rows * 2 * 128 * 2, index: rows * 32 * 4 });
      }
    });

    it('leaves latents open', async () => {
      const recalkv = pipeline(['recalkv', { ratio: 0.5 }]);
      expect(await estimateBytes(small, 64, [recalkv], context)).to.deep.equal([
        { pipeline: 'recalkv', estimate: undefined },
      ]);
    });

    it('names the pipeline that cannot compress such a prompt', async () => {
      const much = pipeline(['snapkv', { ratio: 0.9 }]);
      const error = await estimate(small, 100, much).catch((reason: unknown) => reason);
      expect(error).to.match(/snapkv would keep 9 of 100 tokens/);
    });
  });

  describe('operations', () => {
    it('are those of Llama-3-8B: 6.98 · 10⁹ weights in layers, 0.53 · 10⁹ in the head', () => {
      expect(layerWeights(llama)).to.equal(32 * (2 * 4096 ** 2 + 2 * 4096 * 1024 + 3 * 4096 * 14336));
      expect(headWeights(llama)).to.equal(128256 * 4096);
      // What is left are norms.
      expect(8_030_261_248 - matrixWeights(llama)).to.equal(65 * 4096);
    });

    it('count causal attention by its pairs', () => {
      const one = { ...llama, layers: 1, windows: full(1) };
      const flat = prefillOperations(one, 3) - 2 * 3 * layerWeights(one);
      // Six pairs of query and key, a product and a sum for each of D entries, twice.
      expect(flat).to.equal(6 * 4 * 4096);
    });

    it('count what a window sees', () => {
      const one = { ...llama, layers: 1, windows: [2] };
      const attention = prefillOperations(one, 4) - 2 * 4 * layerWeights(one);
      // 1 + 2 + 2 + 2 pairs
      expect(attention).to.equal(7 * 4 * 4096);
    });

    it('grow with what each row has cached', () => {
      const one = decodeWork(llama, [100], 10);
      const two = decodeWork(llama, [100, 50], 10);
      expect(two.operations).to.equal(2 * one.operations);
      expect(two.weightBytes).to.equal(one.weightBytes);
      expect(one.attention).to.equal(4 * 32 * 4096 * (10 * 100 + 55));
      expect(two.attention - one.attention).to.equal(4 * 32 * 4096 * (10 * 50 + 55));
    });
  });
});
