/** A golden case of a method run end to end on the tiny llama: prefill, suffix, greedy tokens. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Engine } from '../../../src/engine/types.js';
import type { MethodStep } from '../../../src/methods/types.js';
import { logitsAfter, type DecodeRow } from '../../../src/model/decode.js';
import type { Transformer } from '../../../src/model/transformer.js';
import { methodFixture } from '../../methods/support.js';
import { engineOrSkip, TESTED_ENGINES } from '../../support/engines.js';
import { loadTinyModel } from '../../support/tiny-model.js';
import { bestTwo, compressGolden, GOLDEN_DIR, maxDifference, readGolden } from '../support.js';

/** Absolute, on logits with float32 caches. */
const LOGIT_TOLERANCE = 2e-3;

export interface GoldenRun {
  readonly logits_after_suffix: readonly number[];
  readonly greedy_ids: readonly number[];
  readonly logits_final: readonly number[];
}

/** The golden.json of a folder of test/fixtures/methods; its form is the caller's to know. */
export function readMethodGolden(folder: string): unknown {
  return JSON.parse(readFileSync(methodFixture(folder, 'golden.json'), 'utf8'));
}

const { context_ids: contextIds, suffix_ids: suffixIds } = readGolden('llama');

/** A suite per engine; `cases` gets the model once it is loaded. */
export function onEveryEngine(title: string, cases: (model: () => Transformer) => void): void {
  for (const engineName of TESTED_ENGINES) {
    describe(`${title} on ${engineName}`, () => {
      let engine: Engine;
      let model: Transformer | undefined;
      before(async function () {
        engine = await engineOrSkip(this, engineName);
        model = loadTinyModel(engine, 'llama', GOLDEN_DIR);
      });
      after(() => {
        model?.dispose();
      });
      cases(() => model!);
    });
  }
}

/** Equal scores around the boundary of one KV head: which of them are kept is open, only how many. */
export type Ties = { readonly kept: readonly number[]; readonly dropped: readonly number[] } | null;

/**
 * Fails unless the model under `steps` keeps `positions` up to ties, and gives the case's numbers where it keeps exactly
 * these.
 */
export async function expectGoldenRunUpToTies(
  model: Transformer,
  steps: readonly MethodStep[],
  positions: readonly (readonly (readonly number[])[])[],
  ties: readonly (readonly Ties[])[],
  golden: GoldenRun,
): Promise<void> {
  const { row, plans } = await compressGolden(model, contextIds, steps);
  for (const cache of row.caches) cache.free();
  plans.forEach((plan, layer) => {
    plan.tokens.forEach((kept, head) => {
      const open = ties[layer]![head];
      const tied = new Set([...(open?.kept ?? []), ...(open?.dropped ?? [])]);
      const settled = (tokens: Iterable<number>): number[] => [...tokens].filter((t) => !tied.has(t));
      const place = `layer ${layer}, KV head ${head}`;
      expect(settled(kept), place).to.deep.equal(settled(positions[layer]![head]!));
      expect(kept.length, place).to.equal(positions[layer]![head]!.length);
    });
  });
  const given = await compressGolden(model, contextIds, steps, positions);
  expectNumbers(model, given.row, golden);
}

/**
 * Fails unless the model under `steps` keeps `positions` (per layer, per KV head) and gives the case's logits after the
 * suffix, and after its greedy tokens, as long as each is clearly the best.
 */
export async function expectGoldenRun(
  model: Transformer,
  steps: readonly MethodStep[],
  positions: readonly (readonly (readonly number[])[])[],
  golden: GoldenRun,
): Promise<void> {
  const { row, plans } = await compressGolden(model, contextIds, steps);
  expect(plans.map((plan) => plan.tokens.map((kept) => [...kept]))).to.deep.equal(positions);
  expectNumbers(model, row, golden);
}

/** Fails unless the row gives the case's logits and tokens. Frees the row's caches. */
export function expectNumbers(
  model: Transformer,
  row: DecodeRow,
  golden: GoldenRun,
  suffix: readonly number[] = suffixIds,
): void {
  try {
    let logits = logitsAfter(model, [row], [suffix])[0]!;
    expect(maxDifference(logits, golden.logits_after_suffix)).to.be.below(LOGIT_TOLERANCE);
    for (const id of golden.greedy_ids) {
      const { best, margin } = bestTwo(logits);
      if (margin <= 2 * LOGIT_TOLERANCE) return;
      expect(best).to.equal(id);
      logits = logitsAfter(model, [row], [[best]])[0]!;
    }
    expect(maxDifference(logits, golden.logits_final)).to.be.below(LOGIT_TOLERANCE);
  } finally {
    for (const cache of row.caches) cache.free();
  }
}
