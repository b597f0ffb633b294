/**
 * Evictions and wrappers of kvpress 0.5.5 against its own numbers: scores, kept positions, moved keys, merged values,
 * logits and tokens. A case that is not run fails, unless it is listed with its reason.
 */
import { expect } from 'chai';
import { openSafetensors } from '../../../src/checkpoint/safetensors.js';
import type { LayerPlan, LayerTrace } from '../../../src/cache/types.js';
import type { Engine } from '../../../src/engine/types.js';
import { endMass } from '../../../src/methods/token/simlayerkv.js';
import type { ScoringMethod } from '../../../src/methods/token/token-method.js';
import type { Transformer } from '../../../src/model/transformer.js';
import { methodFixture } from '../../methods/support.js';
import { engineOrSkip, TESTED_ENGINES } from '../../support/engines.js';
import { loadTinyModel } from '../../support/tiny-model.js';
import { compressGolden, GOLDEN_DIR, maxDifference, readGolden } from '../support.js';
import { expectNumbers, readMethodGolden, type GoldenRun, type Ties } from './golden-run.js';
import { NOT_RUN, stepsOfCase, type Case, type GoldenSteps } from './kvpress-steps.js';

interface KvpressCase extends GoldenRun, Case {
  readonly kept_positions?: readonly (readonly (readonly number[])[])[];
  readonly near_ties?: readonly (readonly Ties[])[];
  readonly start_position?: number;
  readonly scores?: string;
  readonly keys_layer1?: string;
  readonly values_layer1?: string;
  readonly attention_mass?: readonly number[];
}

interface Folder {
  readonly pipelines: readonly KvpressCase[];
  readonly qwen3?: { readonly pipelines: readonly KvpressCase[] };
}

/** Relative to the largest score of the case; the released float32 factor of leverage is off by 1.4e−3. */
const SCORE_TOLERANCE = 1e-4;
const SKETCHED_TOLERANCE = 5e-3;
/** Absolute, on moved keys and merged values: those of two float32 programs differ by 3e−5. */
const ENTRY_TOLERANCE = 2e-4;

const FOLDERS = ['kvpress_evictions', 'kvpress_extra_055', 'kvpress_extra'];

for (const folder of FOLDERS) {
  const golden = readMethodGolden(folder) as Folder;
  const prefixOf = { llama: '', qwen3: 'qwen3.' } as const;
  for (const name of ['llama', 'qwen3'] as const) {
    const cases = name === 'llama' ? golden.pipelines : (golden.qwen3?.pipelines ?? []);
    if (cases.length === 0) continue;
    for (const engineName of TESTED_ENGINES) {
      describe(`golden ${folder}, ${name} on ${engineName}`, () => {
        let engine: Engine;
        let model: Transformer | undefined;
        before(async function () {
          engine = await engineOrSkip(this, engineName);
          model = loadTinyModel(engine, name, GOLDEN_DIR);
        });
        after(() => {
          model?.dispose();
        });
        for (const one of cases) {
          const reason = NOT_RUN.find(([pattern]) => pattern.test(one.name))?.[1];
          if (reason !== undefined) {
            it.skip(`${one.name}: ${reason}`);
            continue;
          }
          it(one.name, async () => {
            const read = (tensor: string): Float32Array => readTensor(folder, tensor, prefixOf[name]);
            const found = stepsOfCase(one, read);
            if (found === undefined) throw new Error('no test runs this case, and none says why');
            await expectCase(model!, name, one, found, read);
          });
        }
      });
    }
  }
}

async function expectCase(
  model: Transformer,
  name: string,
  golden: KvpressCase,
  { steps, methods }: GoldenSteps,
  read: (tensor: string) => Float32Array,
): Promise<void> {
  const { context_ids: ids, suffix_ids: suffix } = readGolden(name);
  const first = await compressGolden(model, ids, steps, undefined, undefined, methods);
  const [step] = steps;
  const method = methods.get(step!.method)! as unknown as ScoringMethod;
  if (golden.scores !== undefined && 'scorer' in method) {
    expectScores(method, first.traces, step!.params, read(golden.scores));
  }
  expectPositions(first.plans, golden);
  if (golden.start_position !== undefined) {
    const shift = golden.start_position - ids.length;
    expect(first.row.shifts).to.deep.equal(first.plans.map(() => shift));
  }
  if (golden.attention_mass !== undefined) {
    const ends = step!.params as { initial: number; recent: number };
    const mass = first.traces.map((trace) => endMass(trace, ends));
    expect(maxDifference(mass, golden.attention_mass)).to.be.below(1e-5);
  }
  for (const [side, tensor] of [
    ['keys', golden.keys_layer1],
    ['values', golden.values_layer1],
  ] as const) {
    if (tensor === undefined) continue;
    const plan = first.plans[1]![side];
    expect(plan.codec).to.equal('dense');
    const contents = plan.codec === 'dense' ? plan.contents!.flatMap((head) => [...head]) : [];
    expect(maxDifference(contents, read(tensor)), tensor).to.be.below(ENTRY_TOLERANCE);
  }
  let { row } = first;
  if ((golden.near_ties ?? []).flat().some((tie) => tie !== null)) {
    for (const cache of row.caches) cache.free();
    ({ row } = await compressGolden(model, ids, steps, golden.kept_positions, undefined, methods));
  }
  expectNumbers(model, row, golden, suffix);
}

/** What always stays has no score that counts. */
function expectScores(
  { scorer }: ScoringMethod,
  traces: readonly LayerTrace[],
  params: MethodParams,
  expected: Float32Array,
): void {
  const { first, last } = scorer.alwaysKept(params);
  const sketched = ['leverage', 'compactor'].includes(scorer.name);
  const tolerance = sketched ? SKETCHED_TOLERANCE : SCORE_TOLERANCE;
  traces.forEach((trace) => {
    const { layer, kvHeads: KV, length: S } = trace;
    const theirs = expected.subarray(layer * KV * S, (layer + 1) * KV * S);
    const open = (_: number, i: number): boolean => i % S >= first && i % S < S - last;
    const mine = scorer.score(trace, params);
    // the tail of lagkv, all 1 there, has an order here
    const ours = scorer.name === 'lagkv' ? mine.map((score) => Math.min(1, score)) : mine;
    const scale = theirs.filter(open).reduce((most, score) => Math.max(most, Math.abs(score)), 0);
    expect(maxDifference(ours.filter(open), theirs.filter(open)), `scores of layer ${layer}`).to.be.below(
      tolerance * scale,
    );
  });
}

type MethodParams = Parameters<ScoringMethod['scorer']['score']>[1];

function expectPositions(
  plans: readonly LayerPlan[],
  { kept_positions: expected, near_ties: ties }: KvpressCase,
): void {
  plans.forEach((plan, layer) => {
    plan.tokens.forEach((kept, head) => {
      const place = `layer ${layer}, KV head ${head}`;
      const open = ties?.[layer]?.[head];
      const tied = new Set([...(open?.kept ?? []), ...(open?.dropped ?? [])]);
      const settled = (tokens: Iterable<number>): number[] => [...tokens].filter((t) => !tied.has(t));
      expect(kept.length, place).to.equal(expected![layer]![head]!.length);
      expect(settled(kept), place).to.deep.equal(settled(expected![layer]![head]!));
    });
  });
}

/** A tensor of the folder; those of the second model have its name before theirs, given already or not. */
function readTensor(folder: string, tensor: string, prefix: string): Float32Array {
  const file = openSafetensors(methodFixture(folder, 'tensors.safetensors'));
  try {
    return file.read(tensor.startsWith(prefix) ? tensor : `${prefix}${tensor}`);
  } finally {
    file.close();
  }
}
