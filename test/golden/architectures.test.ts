/** Tiny models of every architecture against the numbers of transformers and kvpress, on every engine present. */
import { expect } from 'chai';
import { ropesOf, layerOutput } from '../../src/calibration/forward.js';
import { configIdentity } from '../../src/checkpoint/config-identity.js';
import type { Engine } from '../../src/engine/types.js';
import type { LayerPlan } from '../../src/cache/types.js';
import type { MethodStep } from '../../src/methods/types.js';
import { logitsAfter, type DecodeRow } from '../../src/model/decode.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import {
  archConfig,
  archFolders,
  archHas,
  archJson,
  loadArch,
  unbuilt,
  type ArchGolden,
  type ArchPipeline,
} from './arch-folders.js';
import { bestTwo, compressGolden, maxDifference, stepsOf } from './support.js';

/** Absolute, on logits with float32 caches; the smallest effect that should be seen is 4e-4. */
const TOLERANCE = 3e-4;

/** `streaming_llm budget=32 layers=all` → steps that act on sliding layers too. */
function archSteps(name: string): MethodStep[] | undefined {
  const all = name.endsWith(' layers=all');
  const steps = stepsOf(name.replace(/ layers=all$/, ''));
  return all ? steps?.map(({ method, params }) => ({ method, params: { ...params, layers: 'all' } })) : steps;
}

/** Worst difference of logits, and the ids as long as the margins allow to tell them. */
function expectContinuation(
  model: Transformer,
  row: DecodeRow,
  suffixIds: readonly number[],
  expected: Pick<ArchPipeline, 'logits_after_suffix' | 'greedy_ids' | 'margins' | 'logits_final'>,
): void {
  let logits = logitsAfter(model, [row], [suffixIds])[0]!;
  expect(maxDifference(logits, expected.logits_after_suffix), 'after the suffix').to.be.below(TOLERANCE);
  for (const [i, id] of expected.greedy_ids.entries()) {
    if (expected.margins[i]! <= 2 * TOLERANCE) return;
    expect(bestTwo(logits).best, `token ${i}`).to.equal(id);
    logits = logitsAfter(model, [row], [[id]])[0]!;
  }
  expect(maxDifference(logits, expected.logits_final), 'at the end').to.be.below(TOLERANCE);
}

async function expectRun(
  model: Transformer,
  ids: readonly number[],
  suffixIds: readonly number[],
  expected: Parameters<typeof expectContinuation>[3] & { readonly prefill_last_logits?: readonly number[] },
  reach?: number,
): Promise<void> {
  const { row, logits } = await compressGolden(model, ids, [], undefined, reach);
  try {
    if (expected.prefill_last_logits !== undefined)
      expect(maxDifference(logits, expected.prefill_last_logits), 'prefill').to.be.below(TOLERANCE);
    expectContinuation(model, row, suffixIds, expected);
  } finally {
    for (const cache of row.caches) cache.free();
  }
}

/** Channels that a plan's keys lack, per KV head; undefined where it prunes none. */
function prunedChannels({ keys }: LayerPlan): number[][] | undefined {
  if (keys.codec !== 'channels') return undefined;
  return keys.masks.map((mask) => [...mask.keys()].filter((channel) => mask[channel] === 0));
}

for (const engineName of TESTED_ENGINES) {
  describe(`golden architectures on ${engineName}`, () => {
    let engine: Engine;
    before(async function () {
      engine = await engineOrSkip(this, engineName);
    });

    for (const folder of archFolders) {
      const pending = unbuilt(folder);
      if (pending !== undefined) {
        it(`${folder}: ${pending}`);
        continue;
      }
      describe(folder, () => {
        const golden = archJson(folder, 'golden.json') as ArchGolden;
        let model: Transformer;
        before(() => {
          model = loadArch(engine, folder);
        });
        after(() => {
          (model as Transformer | undefined)?.dispose();
        });

        if (archHas(folder, 'config.v4.json')) {
          it('the older spelling of its configuration says the same', () => {
            expect(configIdentity(archConfig(folder, 'config.v4.json'))).to.deep.equal(
              configIdentity(archConfig(folder)),
            );
          });
        }

        it('the last token after every layer', () => {
          const { ops } = model;
          const { ropes, owned } = ropesOf(model, golden.context_ids.length);
          let x = model.embed(golden.context_ids);
          const expectLast = (name: string): void => {
            const [S, E] = x.shape as [number, number];
            const expected = golden.hidden_last_token[name]!;
            const scale = Math.max(1, ...expected.map(Math.abs));
            const found = ops.tidy(() => ops.toHost(ops.slice(x, [S - 1, 0], [1, E])));
            expect(maxDifference(found, expected) / scale, name).to.be.below(TOLERANCE);
          };
          expectLast('embedding');
          for (let layer = 0; layer < model.config.layers; layer++) {
            const next = ops.tidy(() =>
              layerOutput(model, model.openLayer(layer), x, { layer, rope: ropes[layer] }),
            );
            ops.dispose(x);
            x = next;
            expectLast(`layer_${layer}`);
          }
          ops.dispose(x, ...owned);
        });

        it('prefill logits', async () => {
          const logits = await prefill(model, {
            ids: golden.context_ids,
            observations: [],
            onLayer: () => undefined,
          });
          expect(maxDifference(logits, golden.prefill_last_logits)).to.be.below(TOLERANCE);
        });

        for (const pipeline of golden.pipelines) {
          it(pipeline.name, async function () {
            const explicit = pipeline.name === 'explicit kept';
            const steps = explicit ? [] : archSteps(pipeline.name);
            if (steps === undefined) this.skip();
            const given = explicit
              ? (pipeline.kept_positions as readonly (readonly (readonly number[])[])[])
              : undefined;
            const { row, plans } = await compressGolden(model, golden.context_ids, steps, given);
            try {
              for (const [layer, kept] of (pipeline.kept_positions ?? []).entries()) {
                if (kept === null) continue;
                expect(
                  plans[layer]!.tokens.map((tokens) => [...tokens]),
                  `layer ${layer}`,
                ).to.deep.equal(kept);
              }
              if (pipeline.pruned_channels !== undefined) {
                const pruned = plans.map(prunedChannels).filter((channels) => channels !== undefined);
                expect(pruned).to.deep.equal(pipeline.pruned_channels);
              }
              expectContinuation(model, row, golden.suffix_ids, pipeline);
            } finally {
              for (const cache of row.caches) cache.free();
            }
          });
        }

        for (const extra of golden.extra_prompts ?? []) {
          it(extra.name, async function () {
            const { name, context_ids: ids } = extra;
            const recomputed = /recomputed/.test(name);
            // dynamic scaling rotates each token for its own length; only LongRoPE is chosen by the end of the run
            const longrope = model.config.ropes.some((rope) => rope?.scaling?.kind === 'longrope');
            if (recomputed && !longrope) this.skip();
            const end = ids.length + golden.suffix_ids.length + extra.greedy_ids.length;
            await expectRun(model, ids, golden.suffix_ids, extra, recomputed ? end : undefined);
          });
        }

        for (const variant of golden.config_variants ?? []) {
          it(variant.name, async () => {
            const other = loadArch(engine, folder, { rope_parameters: variant.rope_parameters });
            await expectRun(other, golden.context_ids, golden.suffix_ids, variant);
            other.dispose();
          });
        }

        if (archHas(`${folder}/conditional`, 'config.json')) {
          it('the text part of a checkpoint with images', async () => {
            const other = loadArch(engine, `${folder}/conditional`);
            await expectRun(other, golden.context_ids, golden.suffix_ids, golden.pipelines[0]!);
            other.dispose();
          });
        }
      });
    }
  });
}
