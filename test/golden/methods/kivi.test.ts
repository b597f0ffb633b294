/**
 * KIVI, alone and behind ThinK, against the numbers of the released code: codes and ranges on a golden layer, stored
 * bytes, how many tokens are quantised after each step, and logits end to end.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { sumBytes } from '../../../src/cache/bytes.js';
import { encodeLayer } from '../../../src/cache/layer-cache.js';
import { fullPlan } from '../../../src/cache/plan.js';
import type { LayerCache, LayerPlan, LayerTrace } from '../../../src/cache/types.js';
import { openKernels } from '../../../src/kernels/index.js';
import { kivi, type KiviParams } from '../../../src/methods/precision/kivi.js';
import { logitsAfter } from '../../../src/model/decode.js';
import { prefill } from '../../../src/model/prefill.js';
import { openSafetensors } from '../../../src/checkpoint/safetensors.js';
import type { Transformer } from '../../../src/model/transformer.js';
import { goldenTrace, methodFixture } from '../../methods/support.js';
import { bestTwo, maxDifference, readGolden } from '../support.js';
import { onEveryEngine, readMethodGolden, type GoldenRun } from './golden-run.js';

/** Absolute, on logits with float32 caches: a code at a tie may differ by one. */
const LOGIT_TOLERANCE = 1e-2;

interface Case extends GoldenRun {
  readonly name: string;
  readonly params: Readonly<Record<'key_bits' | 'value_bits' | 'group' | 'residual', number>>;
  readonly granularity?: 'kv_head' | 'query_head';
  /** Per layer, per head of the granularity. */
  readonly kept_channels?: readonly (readonly (readonly number[])[])[];
  readonly stored_after_prefill_and_each_step?: { readonly rows: readonly (readonly number[])[] };
  readonly bytes_after_prefill_fp16_scales?: { readonly keys: number; readonly values: number };
}

const { pipelines } = readMethodGolden('kivi') as { readonly pipelines: readonly Case[] };
const { context_ids: ids, suffix_ids: suffixIds } = readGolden('llama');

function paramsOf({ params: { key_bits, value_bits, group, residual } }: Case): KiviParams {
  return kivi.params.parse({ key_bits, value_bits, group, residual });
}

/** The plan of KIVI behind the masks of the case, where it has some. */
function planOf(trace: LayerTrace, one: Case): LayerPlan {
  const full = fullPlan(trace);
  const channels = one.kept_channels?.[trace.layer];
  if (channels === undefined) return kivi.plan(trace, paramsOf(one), full);
  const given = channels.map((kept) =>
    Uint8Array.from({ length: trace.headDim }, (_, j) => Number(kept.includes(j))),
  );
  const group = trace.heads / trace.kvHeads;
  const masks =
    one.granularity === 'kv_head'
      ? given
      : full.tokens.map((_, h) => {
          const mine = given.slice(h * group, (h + 1) * group);
          return mine[0]!.map((_, j) => Number(mine.some((mask) => mask[j] === 1)));
        });
  const queryMasks = one.granularity === 'kv_head' ? undefined : given;
  return kivi.plan(trace, paramsOf(one), {
    ...full,
    keys: { codec: 'channels', masks, queryMasks, recent: 32 },
  });
}

/** A tensor of unsigned bytes, which models do not have. */
function readCodes(name: string): Uint8Array {
  const path = methodFixture('kivi', 'tensors.safetensors');
  const bytes = readFileSync(path);
  const header = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.toString('utf8', 8, 8 + header)) as Record<
    string,
    { readonly data_offsets: readonly [number, number] }
  >;
  const [from, to] = entries[name]!.data_offsets;
  return bytes.subarray(8 + header + from, 8 + header + to);
}

describe('golden kivi codes', () => {
  const trace = goldenTrace(1, []);
  const file = openSafetensors(methodFixture('kivi', 'tensors.safetensors'));
  after(() => {
    file.close();
  });

  for (const bits of [2, 4] as const) {
    it(`codes, scales and minima of ${bits} bits, to the last bit`, () => {
      const params = kivi.params.parse({ bits, group: 32, residual: 32 });
      const plan = kivi.plan(trace, params, fullPlan(trace));
      const cache = encodeLayer(trace, plan, 'float32', openKernels());
      const decoded = cache.decode();
      for (const [name, side, rows] of [
        ['k', 'keys', 192],
        ['v', 'values', 168],
      ] as const) {
        const codes = readCodes(`${name}${bits}.codes`); // [KV, rows, 64]
        const scale = file.read(`${name}${bits}.scale`); // keys [KV, 6, 64], values [KV, 168, 2]
        const minimum = file.read(`${name}${bits}.min`);
        decoded[side].forEach((got, head) => {
          const expected = Float32Array.from({ length: rows * 64 }, (_, i) => {
            const [t, j] = [Math.floor(i / 64), i % 64];
            const range =
              name === 'k'
                ? (head * 6 + Math.floor(t / 32)) * 64 + j
                : (head * 168 + t) * 2 + Math.floor(j / 32);
            return Math.fround(codes[head * rows * 64 + i]! * scale[range]!) + minimum[range]!;
          });
          expect(got.slice(0, rows * 64)).to.deep.equal(expected);
          expect(got.slice(rows * 64), 'the residual').to.deep.equal(
            trace[side].slice((head * 200 + rows) * 64, (head + 1) * 200 * 64),
          );
          if (bits === 2) {
            const released = file.read(`${name}2.dequantised`);
            const mine = released.subarray(head * rows * 64, (head + 1) * rows * 64);
            expect(maxDifference(got.subarray(0, rows * 64), mine)).to.be.below(1e-6);
          }
        });
      }
      cache.free();
    });
  }
});

describe('golden kivi storage', () => {
  for (const one of pipelines) {
    const steps = one.stored_after_prefill_and_each_step?.rows;
    const bytes = one.bytes_after_prefill_fp16_scales;
    if (steps === undefined || bytes === undefined) continue;

    it(`${one.name}: bytes`, () => {
      const total = [0, 1, 2].reduce((sum, layer) => {
        const trace = goldenTrace(layer, []);
        const cache = encodeLayer(trace, planOf(trace, one), 'bfloat16', openKernels());
        const stored = sumBytes(cache.bytes());
        cache.free();
        return sum + stored;
      }, 0);
      expect(total).to.equal(bytes.keys + bytes.values);
    });

    it(`${one.name}: tokens quantised after each step`, () => {
      const trace = goldenTrace(1, []);
      const cache = encodeLayer(trace, planOf(trace, one), 'float32', openKernels());
      const row = Float32Array.from({ length: 2 * 64 }, (_, i) => Math.sin(i * i));
      const found = steps.map((_, step) => {
        if (step > 0) {
          cache.append(row, row, 1);
          cache.attend(new Float32Array(4 * 64), 1, new Float32Array(4 * 64));
        }
        const { keys, values } = cache.decode();
        return (
          [
            ['keys', keys[1]!],
            ['values', values[1]!],
          ] as const
        ).flatMap(([side, got]) => {
          const original = Float32Array.from([
            ...trace[side].subarray(200 * 64),
            ...Array.from({ length: step }, () => [...row.subarray(64)]).flat(),
          ]);
          return quantisedAndDense(got, original);
        });
      });
      expect(found).to.deep.equal(steps);
      cache.free();
    });
  }
});

/** How many of the oldest rows `[n, 64]` are not what they were, and how many are. */
function quantisedAndDense(got: Float32Array, original: Float32Array): [number, number] {
  const rows = got.length / 64;
  const same = (t: number): boolean =>
    got.subarray(t * 64, (t + 1) * 64).every((x, j) => x === original[t * 64 + j]);
  let dense = 0;
  while (dense < rows && same(rows - 1 - dense)) dense++;
  return [rows - dense, dense];
}

onEveryEngine('golden kivi', (model) => {
  it('has cases', () => {
    expect(pipelines).to.have.length(14);
  });

  for (const one of pipelines) {
    it(one.name, async () => {
      await expectRun(model(), one);
    });
  }
});

async function expectRun(model: Transformer, one: Case): Promise<void> {
  const caches: LayerCache[] = [];
  await prefill(model, {
    ids,
    observations: [],
    onLayer: (trace) => {
      caches.push(encodeLayer(trace, planOf(trace, one), 'float32', openKernels()));
    },
  });
  try {
    const row = { caches, position: ids.length };
    let logits = logitsAfter(model, [row], [suffixIds])[0]!;
    expect(maxDifference(logits, one.logits_after_suffix)).to.be.below(LOGIT_TOLERANCE);
    for (const id of one.greedy_ids) {
      const { best, margin } = bestTwo(logits);
      if (margin <= 2 * LOGIT_TOLERANCE) return;
      expect(best).to.equal(id);
      logits = logitsAfter(model, [row], [[best]])[0]!;
    }
    expect(maxDifference(logits, one.logits_final)).to.be.below(LOGIT_TOLERANCE);
  } finally {
    for (const cache of caches) cache.free();
  }
}
