/** Every method on every architecture: it runs, or it is refused with the reason. */
import { expect } from 'chai';
import { factoriseModel } from '../../src/calibration/factorise.js';
import { fisherScores } from '../../src/calibration/fisher.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { shiftsOf } from '../../src/cache/plan.js';
import type { LayerCache, LayerPlan } from '../../src/cache/types.js';
import { openEngine } from '../../src/engine/index.js';
import type { Engine } from '../../src/engine/types.js';
import { openKernels } from '../../src/kernels/index.js';
import { methods } from '../../src/methods/built-in.js';
import { modelObjection } from '../../src/methods/on-models.js';
import { logitsAfter } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { everyMethod } from '../methods/every-method.js';
import { stepsFrom } from '../methods/tiny-run.js';
import { observationsOf, planLayer } from '../support/planning.js';
import { archFolders, archJson, loadArch, unbuilt, type ArchGolden } from './arch-folders.js';

/** Pairs that are refused, by what the reason says. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  recalkv: /key heads|part of each head|scales its rotated keys|sliding layers|experts/,
  morphkv: /sliding layers/,
  finch: /sliding layers|depend on the length/,
  rerotate: /sliding layers|depend on the length/,
};
/** Where ReCalKV runs. */
const FACTORED = ['gemma', 'granite', 'llama_bias', 'llama_dynamic', 'llama_head_dim', 'llama_linear'];
FACTORED.push('mistral', 'phi3', 'smollm3', 'starcoder2');

/** The model on factors of half its rank, calibrated on two sequences: the backward pass runs through every architecture, too. */
async function factored(model: Transformer, ids: readonly number[]): Promise<Transformer> {
  const { layers, kvHeads, headDim } = model.config;
  const sequences = [ids.slice(0, 24), ids.slice(24, 48)];
  for (const { keys, values } of await fisherScores(model, sequences))
    for (const score of [...keys, ...values]) expect(score).to.be.above(0).and.below(Infinity);
  const half = (kvHeads * headDim) / 2;
  const ranks = Array.from({ length: layers }, () => ({ keys: [half], values: half }));
  const params = { whitening: 'cholesky', grouping: 'strict', iterations: 1 } as const;
  return model.withFactors(await factoriseModel(model, { sequences, ranks, params }));
}

describe('every method on every architecture', () => {
  let engine: Engine;
  before(async () => {
    engine = await openEngine('wasm');
  });

  for (const folder of archFolders.filter((name) => unbuilt(name) === undefined)) {
    describe(folder, () => {
      const golden = archJson(folder, 'golden.json') as ArchGolden;
      let model: Transformer;
      before(() => {
        model = loadArch(engine, folder);
      });
      after(() => {
        model.dispose();
      });

      for (const { method, samples } of everyMethod) {
        it(method, async () => {
          const steps = stepsFrom(methods, [[method, samples[0]!]]);
          const reason = modelObjection(steps, model.config, methods);
          if (method === 'recalkv') {
            const known = FACTORED.includes(folder);
            expect(reason === undefined, reason).to.equal(known);
          }
          if (reason !== undefined) {
            expect(reason).to.match(REFUSED[method]!);
            return;
          }
          const ranked = methods.get(method)!.axis === 'rank';
          const run = ranked ? await factored(model, golden.context_ids) : model;
          const ids = golden.context_ids;
          const caches: LayerCache[] = [];
          const plans: LayerPlan[] = [];
          await prefill(run, {
            ids,
            observations: observationsOf([{ label: '', steps }]),
            onLayer: (trace) => {
              const plan = planLayer(trace, steps);
              plans.push(plan);
              caches.push(encodeLayer(trace, plan, 'float32', openKernels()));
            },
          });
          const row = { caches, position: ids.length, shifts: shiftsOf(plans, ids.length) };
          for (const tokens of [golden.suffix_ids, [7], [8]]) {
            const [logits] = logitsAfter(run, [row], [tokens]);
            expect(logits!.every(Number.isFinite)).to.equal(true);
          }
          expect(row.position).to.equal(ids.length + golden.suffix_ids.length + 2);
          for (const cache of caches) cache.free();
          if (ranked) run.dispose();
        });
      }
    });
  }
});
