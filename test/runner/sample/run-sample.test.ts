/** Prefill once, compress many, decode together: no row may notice the others. */
import { methods } from '../../../src/methods/built-in.js';
import { expect } from 'chai';
import { sumBytes } from '../../../src/cache/bytes.js';
import type { Engine } from '../../../src/engine/types.js';
import { UserError } from '../../../src/base/errors.js';
import { openKernels, type Kernels } from '../../../src/kernels/index.js';
import type { Pipeline } from '../../../src/methods/types.js';
import { logitsAfter } from '../../../src/model/decode.js';
import type { Transformer } from '../../../src/model/transformer.js';
import {
  CompressedPrompt,
  compressPrompt,
  runSample,
  type PipelineOutcome,
  type SampleOutcome,
  type SampleRun,
} from '../../../src/runner/sample/run-sample.js';
import { engineOrSkip, TESTED_ENGINES } from '../../support/engines.js';
import { loadTinyModel, tinyIds } from '../../support/tiny-model.js';
import { pipelineOf } from '../../support/pipelines.js';

const PIPELINES: readonly Pipeline[] = [
  pipelineOf(),
  pipelineOf(['streaming_llm', { budget: 40 }]),
  pipelineOf(['snapkv', { budget: 60, window: 16 }]),
  pipelineOf(['think', { ratio: 0.5 }]),
  pipelineOf(['snapkv', { budget: 60, window: 16 }], ['spark', { ratio: 0.8 }]),
  pipelineOf(['spark', { ratio: 0.5 }]),
  pipelineOf(['spark', { ratio: 0.8, recovery: 'none' }]),
];

/** An outcome in which nothing failed. */
async function runWhole(run: SampleRun): Promise<SampleOutcome & { pipelines: PipelineOutcome[] }> {
  const outcome = await runSample(run);
  const pipelines = outcome.pipelines.map((one) => {
    if (one instanceof UserError) throw one;
    return one;
  });
  return { ...outcome, pipelines };
}

for (const engineName of TESTED_ENGINES) {
  describe(`a sample on ${engineName}`, () => {
    let engine: Engine;
    let model: Transformer;
    let kernels: Kernels;
    const segments = { contextIds: tinyIds(150), suffixIds: tinyIds(7, 2), truncated: false };
    const run = (
      pipelines: readonly Pipeline[],
      options: Partial<SampleRun> = {},
    ): Promise<{ pipelines: PipelineOutcome[] }> =>
      runWhole({
        ...{ model, kernels, methods, pipelines, segments, cacheDtype: 'bfloat16', maxNewTokens: 12 },
        ...options,
      });

    before(async function () {
      engine = await engineOrSkip(this, engineName);
      model = loadTinyModel(engine);
      kernels = openKernels();
    });
    after(() => {
      (model as Transformer | undefined)?.dispose();
    });

    it('gives every pipeline the same answer alone and among any others', async () => {
      const together = await run(PIPELINES);
      const tripled = await run([...PIPELINES, ...PIPELINES, ...PIPELINES]);
      for (const [p, pipeline] of PIPELINES.entries()) {
        const alone = (await run([pipeline])).pipelines[0]!;
        expect(together.pipelines[p]!.ids, pipeline.label).to.deep.equal(alone.ids);
        expect(tripled.pipelines[p + PIPELINES.length]!.ids, pipeline.label).to.deep.equal(alone.ids);
        expect(together.pipelines[p]!.bytes).to.deep.equal(alone.bytes);
      }
    });

    it('ends a row at the ids that it is given', async () => {
      const pipelines = PIPELINES.slice(0, 1);
      const { ids } = (await run(pipelines)).pipelines[0]!;
      const at = ids.findIndex((id, i) => i > 0 && ids.indexOf(id) === i);
      const stopIds = [ids[at]!];
      const stopped = await run(pipelines, { stopIds });
      expect(stopped.pipelines[0]!.ids).to.deep.equal(ids.slice(0, at + 1));
    });

    it('gives the same logits bit for bit alone and in a batch of any size', async () => {
      const logits = async (pipelines: readonly Pipeline[]): Promise<Float32Array[]> => {
        const prompts = pipelines.map((pipeline) => new CompressedPrompt(pipeline, 'bfloat16'));
        try {
          await compressPrompt(model, segments.contextIds, prompts, {
            ...{ methods, kernels, cacheDtype: 'bfloat16' },
          });
          const rows = prompts.map((prompt) => ({
            caches: prompt.caches,
            position: segments.contextIds.length,
          }));
          const afterSuffix = logitsAfter(
            model,
            rows,
            rows.map(() => segments.suffixIds),
          );
          const afterOne = logitsAfter(
            model,
            rows,
            rows.map(() => [5]),
          );
          return pipelines.flatMap((_, p) => [afterSuffix[p]!, afterOne[p]!]);
        } finally {
          for (const prompt of prompts) prompt.free();
        }
      };
      const many = [...PIPELINES, ...PIPELINES, ...PIPELINES];
      const batch = await logits(many);
      for (const [p, pipeline] of PIPELINES.entries()) {
        const alone = await logits([pipeline]);
        for (const copy of [p, p + PIPELINES.length, p + 2 * PIPELINES.length]) {
          expect(batch.slice(2 * copy, 2 * copy + 2), pipeline.label).to.deep.equal(alone);
        }
      }
    });

    it('tells what every layer and KV head keeps, where that differs', async () => {
      const adaptive = [
        pipelineOf(['adakv', { base: 'snapkv', with: { window: 16 }, ratio: 0.5 }]),
        pipelineOf(['dbudgetkv', { threshold: 0.3, whole_layers: [0] }]),
      ];
      const { pipelines } = await run([...PIPELINES, ...adaptive]);
      const [heads, layers] = pipelines.slice(PIPELINES.length);
      for (const { keptPerHead } of pipelines.slice(0, PIPELINES.length))
        expect(keptPerHead).to.equal(undefined);
      for (const { keptPerHead, keptTokens } of [heads!, layers!]) {
        const all = keptPerHead!.flat();
        expect(keptPerHead).to.have.length(model.config.layers);
        expect(all.reduce((sum, n) => sum + n, 0) / all.length).to.be.closeTo(keptTokens, 1e-9);
      }
      for (const kept of heads!.keptPerHead!)
        expect(kept.reduce((sum, n) => sum + n, 0)).to.equal(75 * kept.length);
      expect(layers!.keptPerHead![0]!.every((n) => n === 150)).to.equal(true);
    });

    it('leaves neither tensors nor cache memory behind', async () => {
      await run(PIPELINES);
      const tensors = engine.ops.numTensors();
      const bytes = kernels.memory.bytesInUse;
      await run(PIPELINES);
      expect(engine.ops.numTensors()).to.equal(tensors);
      expect(kernels.memory.bytesInUse).to.equal(bytes);
    });

    it('names pipeline and layer when a method prunes nothing although it was asked to, and frees all', async () => {
      const bytes = kernels.memory.bytesInUse;
      const asked = pipelineOf(['spark', { ratio: 0.01 }]);
      let layers = 0;
      const error: unknown = await run([asked, asked], { onPhase: () => layers++ }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(UserError);
      expect((error as UserError).format()).to.contain('spark(ratio=0.01), layer 0');
      expect(layers, 'of a prefill that nobody needs').to.equal(0);
      expect(kernels.memory.bytesInUse).to.equal(bytes);
    });

    it('lets the others go on, with the same answers, where one pipeline cannot be applied', async () => {
      const bytes = kernels.memory.bytesInUse;
      const alone = await run(PIPELINES);
      const { pipelines } = await runSample({
        ...{ model, kernels, methods, segments, cacheDtype: 'bfloat16', maxNewTokens: 12 },
        pipelines: [pipelineOf(['spark', { ratio: 0.01 }]), ...PIPELINES],
      });
      const [failure, ...others] = pipelines;
      expect((failure as UserError).format()).to.contain('spark(ratio=0.01), layer 0');
      others.forEach((outcome, p) => {
        expect((outcome as PipelineOutcome).ids, PIPELINES[p]!.label).to.deep.equal(alone.pipelines[p]!.ids);
      });
      expect(kernels.memory.bytesInUse).to.equal(bytes);
    });

    it('says why of every pipeline where none can be applied', async () => {
      const bytes = kernels.memory.bytesInUse;
      const { pipelines } = await runSample({
        ...{ model, kernels, methods, segments, cacheDtype: 'bfloat16', maxNewTokens: 12 },
        pipelines: [0.01, 0.005].map((ratio) => pipelineOf(['spark', { ratio }])),
      });
      expect(pipelines.map((failure) => (failure as UserError).place)).to.deep.equal([
        'spark(ratio=0.01), layer 0',
        'spark(ratio=0.005), layer 0',
      ]);
      expect(kernels.memory.bytesInUse).to.equal(bytes);
    });

    it('counts the bytes of the packed prompt, however long the answer', async () => {
      const kivi = [pipelineOf(['kivi', { key_bits: 2, value_bits: 2, group: 16, residual: 16 }])];
      const [short, long] = [await run(kivi, { maxNewTokens: 1 }), await run(kivi, { maxNewTokens: 24 })];
      expect(long.pipelines[0]!.bytes).to.deep.equal(short.pipelines[0]!.bytes);
    });

    it('refuses a model whose logits are not finite', async () => {
      const spoiled = Object.assign(Object.create(model) as Transformer, {
        embedRows: (ids: readonly number[]) => model.embedRows(ids).fill(Number.NaN),
      });
      const error: unknown = await run(PIPELINES.slice(0, 1), { model: spoiled }).catch((e: unknown) => e);
      expect((error as UserError).format()).to.match(/logits are not finite\n.*weights whole/);
    });

    it('decodes pipelines of equal plans once, each with its own outcome', async () => {
      // PyramidKV keeps 90 % of the prompt where no pyramid fits the budget, whatever the budget.
      const pyramids = [24, 20, 28].map((budget) => pipelineOf(['pyramidkv', { budget, window: 16 }]));
      const alone = await Promise.all(pyramids.map(async (one) => (await run([one])).pipelines[0]!));
      const bytes = kernels.memory.bytesInUse;
      const { pipelines } = await run([pyramids[0]!, PIPELINES[1]!, ...pyramids.slice(1)]);
      const found = [pipelines[0]!, ...pipelines.slice(2)];
      found.forEach((outcome, p) => {
        expect({ ...outcome, compressSeconds: 0 }).to.deep.equal({ ...alone[p]!, compressSeconds: 0 });
        expect(outcome.keptTokens).to.equal(135);
      });
      expect(kernels.memory.bytesInUse).to.equal(bytes);
    });

    it('runs rows in turns where they do not fit together, with the same answers', async () => {
      const together = await run(PIPELINES);
      const turns: number[] = [];
      for (const kib of [4096, 1024, 640, 512]) {
        const small = openKernels({ maxBytes: kib * 1024 });
        let prefills = 0;
        const outcome = await run(PIPELINES, {
          kernels: small,
          onPhase: (phase, done, total) => {
            if (phase === 'prefill' && done === total) prefills++;
          },
        });
        turns.push(prefills);
        outcome.pipelines.forEach(({ ids, bytes, keptTokens }, p) => {
          const expected = together.pipelines[p]!;
          expect({ ids, bytes, keptTokens }, PIPELINES[p]!.label).to.deep.equal({
            ids: expected.ids,
            bytes: expected.bytes,
            keptTokens: expected.keptTokens,
          });
        });
        expect(small.memory.bytesInUse).to.equal(0);
      }
      expect(turns[0]).to.equal(1);
      expect(turns.at(-1)).to.be.above(2);
      expect(turns).to.deep.equal(turns.toSorted((x, y) => x - y));
    });

    it('keeps 200 pipelines within the cache memory', async () => {
      const budgets = Array.from({ length: 199 }, (_, i) =>
        pipelineOf(['streaming_llm', { budget: 8 + (i % 140) }]),
      );
      const small = openKernels({ maxBytes: 2 ** 20 });
      const { pipelines } = await run([PIPELINES[0]!, ...budgets], { kernels: small, maxNewTokens: 2 });
      const stored = pipelines.reduce((sum, { bytes }) => sum + sumBytes(bytes), 0);
      expect(stored).to.be.above(2 * 2 ** 20);
      // beside the caches: tapes, scratch and activations
      expect(small.memory.byteLength).to.be.at.most(2 ** 20 + 5 * 2 ** 20);
      expect(small.memory.bytesInUse).to.equal(0);
    });

    it('names the pipeline that does not fit alone', async () => {
      const small = openKernels({ maxBytes: 2 ** 17 });
      const error: unknown = await run(PIPELINES, { kernels: small }).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(UserError);
      expect((error as UserError).format()).to.contain('full  out of cache memory');
    });

    it('stops between layers when it is interrupted', async () => {
      const signal = AbortSignal.abort(new Error('stop'));
      const error: unknown = await run(PIPELINES, { signal }).catch((e: unknown) => e);
      expect((error as Error).message).to.equal('stop');
    });
  });
}
