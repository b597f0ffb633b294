import { expect } from 'chai';
import { Matrix } from 'ml-matrix';
import { factoriseLayer, type FactoriseParams } from '../../../../src/methods/rank/recalkv/layer.js';
import { toMatrix } from '../../../../src/methods/rank/recalkv/matrices.js';
import { openSafetensors } from '../../../../src/checkpoint/safetensors.js';
import { fileURLToPath } from 'node:url';
import { errorOf, golden, gramOf, maxDifference, rebuild, tensor } from './support.js';

const { kv_heads: KV, head_dim: D, width: E, v_rank: valueRank, ...cases } = golden.tensor_level;
const params: FactoriseParams = { whitening: 'svd', grouping: 'released', iterations: 1 };
const ascending = (heads: readonly number[]) => [...heads].sort((a, b) => a - b);
const flat = (matrix: Matrix) => Float64Array.from(matrix.to1DArray());

describe('ReCalKV of one layer', () => {
  const gram = gramOf(tensor('tensor.X_whiten'), E);
  const ovcGram = gramOf(tensor('tensor.X_ovc'), E);
  const Wk = toMatrix(tensor('tensor.Wk'), E);
  const Wv = toMatrix(tensor('tensor.Wv'), E);
  const layer = {
    kvHeads: KV,
    headDim: D,
    keyWeight: tensor('tensor.Wk'),
    valueWeight: tensor('tensor.Wv'),
    gram: flat(gram),
    gramAfter: flat(ovcGram),
  };
  const relative = (weight: Matrix, approximation: Matrix, c: Matrix) =>
    errorOf(weight, approximation, c) / errorOf(weight, Matrix.zeros(weight.rows, E), c);

  for (const whitening of ['svd', 'cholesky'] as const) {
    for (const keys of [
      [24, 24],
      [32, 16],
    ]) {
      it(`keys agree with the released code: ${whitening}, ranks ${keys.join(' and ')}`, () => {
        const factors = factoriseLayer(layer, { keys, values: valueRank }, { ...params, whitening });
        expect(factors.keys.map(({ heads }) => ascending(heads))).to.deep.equal(
          cases[`groups_${whitening}`].map(ascending),
        );
        expect(factors.keys.map(({ rank }) => rank)).to.deep.equal(keys);
        const name = `tensor.Wk_hat.${whitening}.ranks${keys.join('_')}`;
        const found = rebuild(factors.keys, D);
        expect(maxDifference(found, toMatrix(tensor(name), E))).to.be.below(1e-3);
        expect(relative(Wk, found, gram)).to.be.closeTo(cases.k_relative_error[name]!, 1e-5);
      });
    }
  }

  it('keys are rebuilt at full rank, in their original order', () => {
    const full = factoriseLayer(layer, { keys: [64, 64], values: KV * D }, params);
    expect(maxDifference(rebuild(full.keys, D), Wk)).to.be.below(1e-5);
    expect(maxDifference(rebuild(full.values, D), Wv)).to.be.below(1e-5);
  });

  const batchSums = () => {
    const x = tensor('tensor.X_ovc'); // [16, tokens, E]
    const tokens = x.length / 16;
    return Float32Array.from({ length: 2 * tokens }, (_, i) => {
      const [batch, entry] = [Math.floor(i / tokens), i % tokens];
      return Array.from({ length: 8 }, (_, s) => x[(batch * 8 + s) * tokens + entry]!).reduce(
        (a, b) => a + b,
        0,
      );
    });
  };

  for (const [form, name, iterations, gramAfter] of [
    ['svd_only', 'svd_only', 0, () => ovcGram],
    ['clean', 'clean.iter1', 1, () => ovcGram],
    ['batch_sum', 'batch_sum.iter1', 1, () => gramOf(batchSums(), E)],
  ] as const) {
    it(`values agree with the released code: ${form}`, () => {
      const { values } = factoriseLayer(
        { ...layer, gramAfter: flat(gramAfter()) },
        { keys: [24, 24], values: valueRank },
        { ...params, iterations },
      );
      expect(values.map(({ heads, rank }) => ({ heads, rank }))).to.deep.equal([
        { heads: [0, 1, 2, 3, 4, 5, 6, 7], rank: valueRank },
      ]);
      const found = rebuild(values, D);
      expect(maxDifference(found, toMatrix(tensor(`tensor.Wv_hat.${name}`), E))).to.be.below(1e-3);
      const expected = cases.v_relative_error.find((entry) => entry.form === form)!;
      expect(relative(Wv, found, gram)).to.be.closeTo(expected.on_whitening_activations, 1e-4);
      expect(relative(Wv, found, ovcGram)).to.be.closeTo(expected.on_ovc_activations, 1e-4);
    });
  }

  it('has the shapes that the runtime reads', () => {
    const { keys, values } = factoriseLayer(layer, { keys: [24, 8], values: 5 }, params);
    for (const { heads, rank, down, up } of [...keys, ...values]) {
      expect(down)
        .to.be.instanceOf(Float32Array)
        .with.length(E * rank);
      expect(up)
        .to.be.instanceOf(Float32Array)
        .with.length(rank * heads.length * D);
    }
  });
});

describe('ReCalKV of the first layer of the tiny llama', () => {
  const model = openSafetensors(
    fileURLToPath(new URL('../../../fixtures/golden/llama/model.safetensors', import.meta.url)),
  );
  const read = (name: string) => model.read(`model.${name}.weight`);
  const width = 64;
  const embeddings = read('embed_tokens');
  const norm = read('layers.0.input_layernorm');
  const inputs = golden.calibration_ids.flat().flatMap((id) => {
    const x = embeddings.subarray(id * width, (id + 1) * width);
    const rms = Math.sqrt(x.reduce((squares, v) => squares + v * v, 0) / width + 1e-5);
    return Array.from(x, (v, j) => (v / rms) * norm[j]!);
  });
  const gram = flat(gramOf(Float32Array.from(inputs), width));
  const layer = {
    kvHeads: 2,
    headDim: 64,
    keyWeight: read('layers.0.self_attn.k_proj'),
    valueWeight: read('layers.0.self_attn.v_proj'),
    gram,
    gramAfter: gram,
  };
  model.close();

  for (const { name, ranks } of [
    { name: 'recalkv k_group=1 k_ranks=[24, 24] v_rank=48', ranks: { keys: [24, 24], values: 48 } },
    { name: 'recalkv k_group=2 k_ranks=[40] v_rank=24', ranks: { keys: [40], values: 24 } },
  ]) {
    it(`agrees with the released keys and the clean values: ${name}`, () => {
      const factors = factoriseLayer(layer, ranks, params);
      const expectedKeys = toMatrix(tensor(`${name}/released/layer0.k_proj`), width);
      const expectedValues = toMatrix(tensor(`${name}/clean/layer0.v_proj`), width);
      expect(maxDifference(rebuild(factors.keys, 64), expectedKeys)).to.be.below(1e-4);
      expect(maxDifference(rebuild(factors.values, 64), expectedValues)).to.be.below(1e-4);
    });
  }
});
