/**
 * A real model end to end: tokenizer, chat template, dequantisation, thirty layers, every pipeline.
 *
 * Runs where SmolLM2-135M has been pulled as the GGUF that the golden numbers were computed on.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openKernels } from '../../src/kernels/index.js';
import type { LayerPlan } from '../../src/cache/types.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import type { LayerCache } from '../../src/cache/types.js';
import { observationsOf, planLayer } from '../support/planning.js';
import type { MethodStep } from '../../src/methods/types.js';
import { logitsAfter, type DecodeRow } from '../../src/model/decode.js';
import { openModelFiles, resolveModel } from '../../src/checkpoint/load.js';
import { prefill } from '../../src/model/prefill.js';
import { Transformer } from '../../src/model/transformer.js';
import type { ModelFiles } from '../../src/checkpoint/types.js';
import { buildSegments } from '../../src/runner/sample/prompt.js';
import { oneQuestion } from '../../src/tasks/one-question.js';
import { engineIfPresent } from '../support/engines.js';
import { GOLDEN_DIR, readGoldenJson, stepsOf } from './support.js';

/** Where equal scores leave open which tokens of layer 0 stay. */
const TIED_TOLERANCE = 0.2;
const LOGIT_TOLERANCE = 5e-2;
const MARGIN = 0.1;
const LAYERS = [0, 14, 29];

interface GoldenCase {
  readonly task: string;
  readonly user_message: string;
  readonly answer_prefix: string;
  readonly answers: readonly string[];
  readonly rendered: string;
  readonly suffix_text: string;
  readonly context_ids: readonly number[];
  readonly suffix_ids: readonly number[];
  readonly pipelines: readonly GoldenPipeline[];
}

interface GoldenPipeline {
  readonly name: string;
  /** By layer, per KV head. */
  readonly kept_positions: Readonly<Record<string, readonly (readonly number[])[]>> | null;
  readonly top5_ids_after_suffix: readonly number[];
  readonly top5_logits_after_suffix: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly margins: readonly number[];
  readonly text: string;
}

function pulledGguf(): boolean {
  try {
    return resolveModel('smollm2-135m').kind === 'gguf';
  } catch {
    return false;
  }
}

describe('golden SmolLM2-135M', function () {
  this.timeout(600_000);
  if (!existsSync(join(GOLDEN_DIR, 'smollm2', 'golden.json'))) return;
  const { cases } = readGoldenJson('smollm2') as { cases: readonly GoldenCase[] };
  let files: ModelFiles;
  let model: Transformer;

  before(async function () {
    if (!pulledGguf()) {
      process.stderr.write(
        '    skipped: needs `spark-eval pull smollm2-135m` (the GGUF of the golden numbers)\n',
      );
      this.skip();
    }
    const engine = (await engineIfPresent('native')) ?? (await engineIfPresent('wasm'))!;
    files = await openModelFiles('smollm2-135m');
    model = Transformer.load(engine, files);
  });
  after(() => {
    // mocha runs this also where `before` has skipped.
    (model as Transformer | undefined)?.dispose();
    (files as ModelFiles | undefined)?.weights.close();
  });

  for (const [index, golden] of cases.entries()) {
    it(`prompt and tokens of case ${index}, ${golden.task}`, () => {
      const sample = oneQuestion({
        context: golden.user_message,
        question: '',
        answerPrefix: golden.answer_prefix,
        answers: golden.answers,
        maxNewTokens: 128,
      });
      const segments = buildSegments(files, sample, 'compressed');
      expect(segments.contextIds).to.deep.equal(golden.context_ids);
      expect(segments.suffixIds).to.deep.equal(golden.suffix_ids);
    });

    it(`pipelines of case ${index}, ${golden.task}`, async () => {
      const pipelines = golden.pipelines.flatMap((expected) => {
        const steps = stepsOf(expected.name);
        return steps === undefined ? [] : [{ expected, ...emptyRow(steps) }];
      });
      try {
        await prefill(model, {
          ids: golden.context_ids,
          observations: observationsOf(pipelines.map(({ steps }) => ({ label: '', steps }))),
          onLayer: (trace) => {
            for (const { steps, caches, plans } of pipelines) {
              const plan = planLayer(trace, steps);
              if (LAYERS.includes(trace.layer)) plans.push(plan);
              caches.push(encodeLayer(trace, plan, 'float32', openKernels()));
            }
          },
        });
        for (const { expected, plans } of pipelines) {
          if (expected.kept_positions === null) continue;
          const kept = Object.values(expected.kept_positions);
          // In layer 0 a repeated token has the same key norm wherever it stands: which of them stay is open.
          const open = expected.name.startsWith('knorm') ? 1 : 0;
          expect(agreement(plans.slice(open), kept.slice(open)), expected.name).to.be.at.least(0.99);
        }
        const rows = pipelines.map(({ caches }) => ({ caches, position: golden.context_ids.length }));
        const afterSuffix = logitsAfter(
          model,
          rows,
          rows.map(() => golden.suffix_ids),
        );
        pipelines.forEach(({ expected }, p) => {
          expected.top5_ids_after_suffix.forEach((id, i) => {
            const logit = expected.top5_logits_after_suffix[i]!;
            const tolerance = expected.name.startsWith('knorm') ? TIED_TOLERANCE : LOGIT_TOLERANCE;
            expect(afterSuffix[p]![id], expected.name).to.be.closeTo(logit, tolerance);
          });
          expect(files.tokenizer.decode(expected.greedy_ids)).to.equal(expected.text);
        });
        checkGreedy(
          model,
          pipelines.map(({ expected }, p) => ({ row: rows[p]!, expected, logits: afterSuffix[p]! })),
        );
      } finally {
        for (const { caches } of pipelines) for (const cache of caches) cache.free();
      }
    });
  }
});

interface GreedyRow {
  readonly row: DecodeRow;
  readonly expected: GoldenPipeline;
  readonly logits: Float32Array;
}

/** Token by token for all rows at once; a row leaves when its ids end or a margin is too small to decide. */
function checkGreedy(model: Transformer, start: readonly GreedyRow[]): void {
  let active = start;
  for (let step = 0; ; step++) {
    active = active.filter(
      ({ expected }) => step < expected.greedy_ids.length && expected.margins[step]! > MARGIN,
    );
    for (const { expected, logits } of active) {
      expect(argMax(logits), `${expected.name}, token ${step}`).to.equal(expected.greedy_ids[step]);
    }
    if (active.length === 0) return;
    const next = logitsAfter(
      model,
      active.map(({ row }) => row),
      active.map(({ expected }) => [expected.greedy_ids[step]!]),
    );
    active = active.map((row, r) => ({ ...row, logits: next[r]! }));
  }
}

function emptyRow(steps: readonly MethodStep[]): {
  steps: readonly MethodStep[];
  caches: LayerCache[];
  plans: LayerPlan[];
} {
  return { steps, caches: [], plans: [] };
}

/** Share of the expected positions that the plans keep too. */
function agreement(
  plans: readonly LayerPlan[],
  expected: readonly (readonly (readonly number[])[])[],
): number {
  let common = 0;
  let total = 0;
  expected.forEach((heads, layer) => {
    heads.forEach((positions, head) => {
      const kept = new Set(plans[layer]!.tokens[head]);
      total += positions.length;
      common += positions.filter((position) => kept.has(position)).length;
    });
  });
  return common / total;
}

function argMax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}
