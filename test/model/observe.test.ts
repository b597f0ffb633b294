/** What the prefill observes, against the slow reading of the tiny llama's own queries, keys, values and weights. */
import { join } from 'node:path';
import { expect } from 'chai';
import { observationKey, type LayerTrace, type Observation } from '../../src/cache/types.js';
import { prefill } from '../../src/model/prefill.js';
import { ropeTable, rotateHeads } from '../../src/model/rope.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import type { Transformer } from '../../src/model/transformer.js';
import { GOLDEN_DIR } from '../golden/support.js';
import { measure } from '../methods/measure.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import { loadTinyModel, tinyIds } from '../support/tiny-model.js';

const LENGTH = 40;
const ALL: Observation = { kind: 'window_queries', window: LENGTH };

const OBSERVATIONS: readonly Observation[] = [
  { kind: 'window_queries', window: 7 },
  { kind: 'window_attention', window: 1 },
  { kind: 'window_attention', window: 64 },
  { kind: 'window_logits', window: 5 },
  { kind: 'window_logits', window: 64 },
  { kind: 'window_outputs', window: 9 },
  { kind: 'attention_sums' },
];

async function observed(model: Transformer, observations: readonly Observation[]): Promise<LayerTrace[]> {
  const traces: LayerTrace[] = [];
  const ids = tinyIds(LENGTH);
  await prefill(model, { ids, observations, onLayer: (trace) => void traces.push(trace) });
  return traces;
}

function expectClose(found: Float32Array, expected: Float32Array): void {
  expect(found.length).to.equal(expected.length);
  found.forEach((x, i) => {
    if (expected[i] === -Infinity) expect(x).to.equal(-Infinity);
    else expect(x).to.be.closeTo(expected[i]!, 1e-4 * Math.max(1, Math.abs(expected[i]!)));
  });
}

for (const engineName of TESTED_ENGINES) {
  describe(`observations on ${engineName}`, () => {
    let model: Transformer;
    before(async function () {
      model = loadTinyModel(await engineOrSkip(this, engineName));
    });
    after(() => {
      (model as Transformer | undefined)?.dispose();
    });

    for (const observation of OBSERVATIONS) {
      it(observationKey(observation), async () => {
        for (const trace of await observed(model, [observation, ALL])) {
          const queries = trace.observations.get(observationKey(ALL))!;
          const expected = measure(
            { shape: trace, queries, keys: trace.keys, values: trace.values },
            observation,
          );
          expectClose(trace.observations.get(observationKey(observation))!, expected);
        }
      });
    }

    it('value_output_norms', async () => {
      const file = openSafetensors(join(GOLDEN_DIR, 'llama', 'model.safetensors'));
      const observation: Observation = { kind: 'value_output_norms' };
      for (const { layer, heads, kvHeads, headDim: D, values, observations } of await observed(model, [
        observation,
      ])) {
        const output = file.read(`model.layers.${layer}.self_attn.o_proj.weight`); // [E, H·D]
        const rows = output.length / (heads * D);
        const expected = Float32Array.from({ length: kvHeads * LENGTH }, (_, i) => {
          const kv = Math.floor(i / LENGTH);
          let norm = 0;
          for (let h = kv * (heads / kvHeads); h < (kv + 1) * (heads / kvHeads); h++) {
            for (let e = 0; e < rows; e++) {
              let x = 0;
              for (let j = 0; j < D; j++) x += output[(e * heads + h) * D + j]! * values[i * D + j]!;
              norm += Math.abs(x);
            }
          }
          return norm / (heads / kvHeads);
        });
        expectClose(observations.get(observationKey(observation))!, expected);
      }
      file.close();
    });

    for (const covariance of [true, false]) {
      it(`future_logits, covariance ${covariance}`, async () => {
        const observation: Observation = {
          kind: 'future_logits',
          skip: 4,
          horizon: 16,
          bias: true,
          covariance,
        };
        for (const trace of await observed(model, [observation, ALL])) {
          const { heads, kvHeads, headDim: D } = trace;
          const rotated = trace.observations.get(observationKey(ALL))!;
          const found = trace.observations.get(observationKey(observation))!;
          const rotation = model.rotations.of(trace.layer, LENGTH)!;
          const back = ropeTable(
            { ...rotation, frequencies: rotation.frequencies.map((f) => -f) },
            0,
            LENGTH,
          );
          const ahead = ropeTable(rotation, LENGTH, 16);
          for (let h = 0; h < heads; h++) {
            const queries = Array.from({ length: LENGTH }, (_, t) => {
              const q = rotated.slice((h * LENGTH + t) * D, (h * LENGTH + t + 1) * D);
              rotateHeads(q, 0, 1, D, back, t);
              return q;
            }).slice(4);
            const mean = Float32Array.from(
              { length: D },
              (_, j) => queries.reduce((a, q) => a + q[j]!, 0) / queries.length,
            );
            // R̄ as a matrix: column j is the mean of the rotations of the unit vector j.
            const columns = Array.from({ length: D }, (_, j) => {
              const sum = new Float64Array(D);
              for (let t = 0; t < 16; t++) {
                const unit = new Float32Array(D);
                unit[j] = 1;
                rotateHeads(unit, 0, 1, D, ahead, t);
                unit.forEach((x, i) => (sum[i]! += x / 16));
              }
              return sum;
            });
            const rotate = (x: ArrayLike<number>): Float64Array => {
              const out = new Float64Array(D);
              columns.forEach((column, j) => {
                column.forEach((c, i) => (out[i]! += c * x[j]!));
              });
              return out;
            };
            const centred = queries.map((q) => rotate(q.map((x, j) => x - mean[j]!)));
            const muAhead = rotate(mean);
            const kv = Math.floor(h / (heads / kvHeads));
            const expected = Float32Array.from({ length: LENGTH - 4 }, (_, i) => {
              const at = (kv * LENGTH + 4 + i) * D;
              const dot = (q: ArrayLike<number>): number =>
                trace.keys.subarray(at, at + D).reduce((sum, k, j) => sum + k * q[j]!, 0);
              const spread = centred.reduce((sum, q) => sum + dot(q) ** 2, 0) / queries.length; // kᵀΣk
              return dot(muAhead) / Math.sqrt(D) + (covariance ? spread / (2 * D) : 0);
            });
            expectClose(found.slice(h * (LENGTH - 4), (h + 1) * (LENGTH - 4)), expected);
          }
        }
      });
    }
  });
}
