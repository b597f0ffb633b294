/**
 * ThinK against its released code, and its value pruning against the equations: masks on the golden layers, logits end
 * to end. The repository's own evictions keep tokens per query head: such cases run on the same model with K and V
 * repeated, where every query head has a KV head of its own, with the golden positions put in.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { sumBytes } from '../../../src/cache/bytes.js';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerCache, LayerPlan, LayerTrace, SidePlan } from '../../../src/cache/types.js';
import type { Engine } from '../../../src/engine/types.js';
import { openKernels } from '../../../src/kernels/index.js';
import { observationsOf, planLayer } from '../../support/planning.js';
import { think } from '../../../src/methods/channel/think.js';
import type { MethodStep } from '../../../src/methods/types.js';
import { parseConfig } from '../../../src/checkpoint/config.js';
import { logitsAfter } from '../../../src/model/decode.js';
import { prefill } from '../../../src/model/prefill.js';
import { openSafetensors } from '../../../src/checkpoint/safetensors.js';
import { Transformer } from '../../../src/model/transformer.js';
import { widenWeights } from '../../../src/checkpoint/packed-weights.js';
import type { WeightSource } from '../../../src/checkpoint/types.js';
import { goldenTrace } from '../../methods/support.js';
import { engineOrSkip, TESTED_ENGINES } from '../../support/engines.js';
import { GOLDEN_DIR, maxDifference, readGolden, stepsOf } from '../support.js';
import { expectGoldenRun, onEveryEngine, readMethodGolden, type GoldenRun } from './golden-run.js';

/** Per layer, per head. */
type Lists = readonly (readonly (readonly number[])[])[];

interface Case extends GoldenRun {
  readonly name: string;
  readonly params: { readonly ratio?: number; readonly value_ratio?: number };
  readonly kept_channels?: Lists;
  readonly kept_value_channels?: Lists;
  readonly kept_positions?: Lists;
  readonly bytes_fp16_after_prefill?: { readonly keys: number; readonly values: number };
}

const golden = readMethodGolden('think') as {
  readonly pipelines: readonly Case[];
  readonly value_pruning: readonly Case[];
};
const all = [...golden.pipelines, ...golden.value_pruning];
const perQueryHead = all.filter(({ name }) => name.includes('capacity=96'));
const direct = all.filter((one) => !perQueryHead.includes(one));

function stepsFor({ name, params }: Case): MethodStep[] {
  const { ratio = 0, value_ratio = 0 } = params;
  const mask = /mask=(\w+)/.exec(name)![1];
  const step = {
    method: 'think',
    params: think.params.parse({ ratio, value_ratio, mask }) as MethodStep['params'],
  };
  return [...(name.startsWith('snapkv budget') ? stepsOf('snapkv budget=128')! : []), step];
}

/** Channels that each head reads: of the query heads' masks where there are some, else of the KV heads'. */
function channelsOf(side: SidePlan): number[][] {
  if (side.codec !== 'channels') throw new Error(`ThinK made a ${side.codec} side`);
  return (side.queryMasks ?? side.masks).map((mask) => [...mask.keys()].filter((j) => mask[j] === 1));
}

function expectChannels(plan: LayerPlan, layer: number, one: Case): void {
  if (one.kept_channels !== undefined) expect(channelsOf(plan.keys)).to.deep.equal(one.kept_channels[layer]);
  if (one.kept_value_channels !== undefined) {
    expect(channelsOf(plan.values)).to.deep.equal(one.kept_value_channels[layer]);
  }
}

describe('golden think masks', () => {
  it('has cases', () => {
    expect([direct.length, perQueryHead.length]).to.deep.equal([12, 3]);
  });

  for (const one of direct) {
    it(one.name, () => {
      const steps = stepsFor(one);
      for (const layer of [0, 1, 2]) {
        const trace = goldenTrace(layer, observationsOf([{ label: '', steps }]));
        expectChannels(planLayer(trace, steps), layer, one);
      }
    });
  }
});

describe('golden think bytes', () => {
  for (const one of direct) {
    const bytes = one.bytes_fp16_after_prefill;
    if (bytes === undefined || one.name.endsWith('mask=query_head')) continue;
    it(one.name, () => {
      const steps = stepsFor(one);
      const total = [0, 1, 2].reduce((sum, layer) => {
        const trace = goldenTrace(layer, observationsOf([{ label: '', steps }]));
        const cache = encodeLayer(trace, planLayer(trace, steps), 'bfloat16', openKernels());
        const stored = sumBytes(cache.bytes());
        cache.free();
        return sum + stored;
      }, 0);
      expect(total).to.equal(bytes.keys + bytes.values);
    });
  }
});

onEveryEngine('golden think', (model) => {
  const everything: Lists = Array.from({ length: 3 }, () =>
    fullPlan({ kvHeads: 2, length: 200 }).tokens.map((tokens) => [...tokens]),
  );
  for (const one of direct) {
    it(one.name, async () => {
      await expectGoldenRun(model(), stepsFor(one), one.kept_positions ?? everything, one);
    });
  }
});

for (const engineName of TESTED_ENGINES) {
  describe(`golden think, a KV head for each query head, on ${engineName}`, () => {
    const { context_ids: ids, suffix_ids: suffix } = readGolden('llama');
    let engine: Engine;
    let model: Transformer;
    before(async function () {
      engine = await engineOrSkip(this, engineName);
      model = loadRepeated(engine);
    });
    after(() => {
      (model as Transformer | undefined)?.dispose();
    });

    for (const one of perQueryHead) {
      it(one.name, async () => {
        const [step] = stepsFor(one);
        const params = think.params.parse(step!.params);
        const caches: LayerCache[] = [];
        const onLayer = (trace: LayerTrace): void => {
          const tokens = one.kept_positions![trace.layer]!.map((positions) => Int32Array.from(positions));
          const plan = think.plan(trace, params, { ...fullPlan(trace), tokens });
          expectChannels(plan, trace.layer, one);
          caches.push(encodeLayer(trace, plan, 'float32', openKernels()));
        };
        await prefill(model, { ids, observations: think.observes(params), onLayer });
        try {
          const row = { caches, position: ids.length };
          expect(maxDifference(logitsAfter(model, [row], [suffix])[0]!, one.logits_after_suffix)).to.be.below(
            2e-3,
          );
          const last = logitsAfter(model, [row], [one.greedy_ids])[0]!;
          expect(maxDifference(last, one.logits_final)).to.be.below(2e-3);
        } finally {
          for (const cache of caches) cache.free();
        }
      });
    }
  });
}

/** The tiny llama with its key and value projections repeated, so that 4 query heads have 4 KV heads. */
function loadRepeated(engine: Engine): Transformer {
  const path = join(GOLDEN_DIR, 'llama');
  const raw = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as Record<string, unknown>;
  const config = parseConfig({ ...raw, num_key_value_heads: raw['num_attention_heads'] }, undefined, path);
  const weights = openSafetensors(join(path, 'model.safetensors'));
  const repeated: WeightSource = {
    names: weights.names,
    shape: (name) => weights.shape(name),
    close: () => {
      weights.close();
    },
    read: (name) => widenWeights(repeated.packed(name)),
    packed(name) {
      const { data, ...packed } = weights.packed(name);
      if (!/\.[kv]_proj\.weight$/.test(name)) return { ...packed, data };
      const [half, size] = [data.length / 2, data.length];
      const wide = new Uint8Array(2 * size);
      [0, 0, half, half].forEach((from, head) => {
        wide.set(data.subarray(from, from + half), head * half);
      });
      return { ...packed, rows: 2 * packed.rows, data: wide };
    },
  };
  try {
    return Transformer.load(engine, { config, weights: repeated });
  } finally {
    weights.close();
  }
}
