/** Low-rank variants of a model: full-rank factors give the model itself, and shapes are checked. */
import { expect } from 'chai';
import type { LayerTrace } from '../../src/cache/types.js';
import { openEngine } from '../../src/engine/index.js';
import type { Engine } from '../../src/engine/types.js';
import { UserError } from '../../src/base/errors.js';
import { checkFactors, checkLowRankModel, type LowRankFactors } from '../../src/model/low-rank.js';
import { prefill } from '../../src/model/prefill.js';
import type { Transformer } from '../../src/model/transformer.js';
import { loadTinyModel, tinyIds } from '../support/tiny-model.js';

/** Factors of full rank: `down` is the projection, `up` the identity; key heads in separate groups, values together. */
function exactFactors(model: Transformer): LowRankFactors {
  const { hidden: E, heads: H, kvHeads: KV, headDim: D } = model.config;
  const groupOf = (qkv: Float32Array, firstHead: number, heads: readonly number[]) => {
    const rank = heads.length * D;
    const width = (H + 2 * KV) * D;
    const down = new Float32Array(E * rank);
    for (let e = 0; e < E; e++) {
      heads.forEach((head, g) => {
        const from = e * width + (firstHead + head) * D;
        down.set(qkv.subarray(from, from + D), e * rank + g * D);
      });
    }
    const up = new Float32Array(rank * rank);
    for (let k = 0; k < rank; k++) up[k * rank + k] = 1;
    return { heads, rank, down, up };
  };
  const all = Array.from({ length: KV }, (_, head) => head);
  return {
    layers: Array.from({ length: model.config.layers }, (_, index) => {
      const layer = model.openLayer(index);
      const qkv = model.ops.toHost(layer.qkv);
      model.closeLayer(layer);
      return {
        keys: all.map((head) => groupOf(qkv, H, [head])),
        values: [groupOf(qkv, H + KV, [...all].reverse())],
      };
    }),
  };
}

async function traces(model: Transformer): Promise<{ logits: Float32Array; layers: LayerTrace[] }> {
  const layers: LayerTrace[] = [];
  const logits = await prefill(model, {
    ids: tinyIds(20),
    observations: [],
    onLayer: (trace) => void layers.push(trace),
  });
  return { logits, layers };
}

describe('low-rank variants', () => {
  let engine: Engine;
  before(async () => {
    engine = await openEngine('wasm');
  });

  for (const name of ['llama', 'qwen2']) {
    it(`${name} at full rank is the model itself, with latents beside keys and values`, async () => {
      const before = engine.ops.numTensors();
      const model = loadTinyModel(engine, name);
      const own = await traces(model);
      const variant = model.withFactors(exactFactors(model));
      const { logits, layers } = await traces(variant);
      logits.forEach((logit, i) => {
        expect(logit).to.be.closeTo(own.logits[i]!, 1e-4);
      });
      for (const trace of layers) {
        const { kvHeads: KV, headDim: D, length: S } = trace;
        const { keys, values } = trace.lowRank!;
        expect(keys.map(({ heads }) => heads)).to.deep.equal(Array.from({ length: KV }, (_, head) => [head]));
        const { latent, bias, heads, rank } = values[0]!;
        heads.forEach((head, g) => {
          for (let i = 0; i < S * D; i++) {
            const rebuilt =
              latent[Math.floor(i / D) * rank + g * D + (i % D)]! + (bias?.[g * D + (i % D)] ?? 0);
            expect(rebuilt).to.be.closeTo(trace.values[head * S * D + i]!, 1e-4);
          }
        });
      }
      expect(own.layers[0]!.lowRank).to.equal(undefined);
      variant.dispose();
      expect((await traces(model)).logits).to.deep.equal(own.logits);
      model.dispose();
      expect(engine.ops.numTensors()).to.equal(before);
    });
  }

  it('are refused where factors do not fit', () => {
    const model = loadTinyModel(engine, 'llama');
    const { layers } = exactFactors(model);
    const withFirst = (change: object) => ({ layers: [{ ...layers[0]!, ...change }, ...layers.slice(1)] });
    const refused = (factors: LowRankFactors, message: string) => {
      expect(() => {
        checkFactors(model.config, factors);
      }).to.throw(message);
    };
    checkFactors(model.config, { layers });
    refused({ layers: layers.slice(1) }, 'layers, expected');
    refused(withFirst({ keys: layers[0]!.keys.slice(1) }), 'expected each of 2 once');
    refused(withFirst({ values: [{ ...layers[0]!.values[0]!, rank: 3 }] }), 'entries, expected');
    model.dispose();
  });

  it('are refused for models that normalise their key heads', () => {
    const model = loadTinyModel(engine, 'qwen3');
    expect(() => {
      checkLowRankModel(model.config, 'some-model');
    }).to.throw(UserError, 'some-model normalises its key heads');
    model.dispose();
  });
});
