/** What a run needs, what is refused, and what is proposed instead. */
import { expect } from 'chai';
import { parseConfig } from '../../src/checkpoint/config.js';
import {
  cacheBudget,
  machineMemory,
  needOf,
  type MemoryOptions,
  type MemoryUse,
} from '../../src/estimate/memory.js';
import { checkModelFits } from '../../src/engine/limits.js';
import { largestLayer, matrixWeights } from '../../src/estimate/work.js';
import { userError } from '../model/support.js';

/** SmolLM2-135M. */
const config = parseConfig(
  {
    model_type: 'llama',
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
    eos_token_id: 2,
  },
  undefined,
  'config.json',
);
const use: MemoryUse = { model: 'small', config, weightBytes: 269e6, length: 4096, exact: true };
const wasm: MemoryOptions = {
  engine: 'wasm',
  workers: 1,
  cacheDtype: 'bfloat16',
  wasmCopies: 1,
  memory: 16e9,
};
const refusal = (changes: Partial<MemoryOptions>, uses: readonly MemoryUse[] = [use]): string => {
  const error = userError(() => cacheBudget(uses, { ...wasm, ...changes }));
  expect(error.exitCode).to.equal(2);
  return error.format();
};

describe('memory of a run', () => {
  it('is about what runs were seen to take at most', () => {
    const total = (engine: 'wasm' | 'native', length: number): number => {
      const options = { engine, cacheDtype: 'bfloat16', wasmCopies: 1 } as const;
      const { program, weights, loading, prefill, row } = needOf(use, options, length);
      return program + weights + loading + prefill + row;
    };
    // the most that RULER took with `full` alone on a model of this shape in bfloat16
    const seen = [
      [total('wasm', 1024), 558e6],
      [total('wasm', 4096), 954e6],
      [total('native', 1024), 948e6],
      [total('native', 4096), 1301e6],
    ] as const;
    for (const [estimated, measured] of seen) expect(estimated / measured).to.be.within(0.9, 1.2);
  });

  it('leaves the caches what weights and prefill do not take, up to what can be addressed', () => {
    const { program, weights, loading, prefill } = needOf(use, wasm, use.length);
    expect(cacheBudget([use], { ...wasm, memory: 4e9 })).to.be.closeTo(
      0.85 * 4e9 - program - weights - loading - prefill,
      1,
    );
    expect(cacheBudget([use], { ...wasm, memory: 64e9 })).to.equal(2 ** 32);
    const [two, one] = [2, 1].map((workers) =>
      cacheBudget([use], { ...wasm, workers, memory: workers * 3e9 }),
    );
    expect(two).to.equal(one);
    const shorter = { ...use, length: 1024 };
    expect(cacheBudget([shorter, use], { ...wasm, memory: 4e9 })).to.equal(
      cacheBudget([use], { ...wasm, memory: 4e9 }),
    );
  });

  it('gives one row what it needs, where that is all that fits', () => {
    const { program, weights, loading, prefill, row } = needOf(use, wasm, use.length);
    const memory = program + weights + loading + prefill + row;
    expect(cacheBudget([use], { ...wasm, memory })).to.equal(row);
  });

  it('says what is needed, what there is and what would fit', () => {
    expect(refusal({ memory: 0.8e9 })).to.match(
      /^memory {2}small on engine wasm, prompts of 4096 tokens: needs about \d+ MB of memory \(program 170 MB, weights 326 MB, prefill \d+ MB, cache of one row \d+ MB\), and there are 800 MB\n {2}What would fit: context: \d+\.$/,
    );
    expect(refusal({ memory: 1e8 })).to.match(/there are 100 MB\n {2}A smaller model or a larger machine\.$/);
    expect(refusal({ workers: 4, memory: 2.5e9 })).to.match(
      /^--workers {2}.*\(4 workers with each program .*\n.*: --workers 2, or context: \d+\.$/s,
    );
  });

  it('proposes what is then accepted', () => {
    const context = Number(/context: (\d+)/.exec(refusal({ memory: 0.8e9 }))![1]);
    expect(context % 256).to.equal(0);
    cacheBudget([{ ...use, length: context }], { ...wasm, memory: 0.8e9 });
    refusal({ memory: 0.8e9 }, [{ ...use, length: context + 256 }]);
    cacheBudget([use], { ...wasm, workers: 2, memory: 2.5e9 });
    refusal({ workers: 3, memory: 2.5e9 });
  });

  it('refuses what 32-bit addresses do not reach, on any machine', () => {
    const long = { ...use, length: 400_000 };
    expect(refusal({ engine: 'native', memory: 1e12 }, [long])).to.match(
      /packed cache of one row takes .* may take 4\.3 GB/,
    );
    expect(refusal({ memory: 1e12 }, [{ ...use, length: 150_000 }])).to.match(
      /the prefill takes .*, and wasm has 4\.3 GB for it\n.*context: \d+, or --engine native/,
    );
  });

  it('does not refuse prompts whose length only the data knows', () => {
    const loader = { ...use, length: 1_000_000, exact: false };
    const budget = cacheBudget([loader], { ...wasm, memory: 4e9 });
    expect(budget).to.be.within(1e9, 2e9);
    expect(refusal({ memory: 0.4e9 }, [loader])).to.match(/small on engine wasm: needs about/);
  });

  it('takes models of 4 and 8 billion weights from files of 8-bit blocks in 24 GB, on wasm, too', () => {
    const shape = (fields: object): typeof config =>
      parseConfig(
        {
          ...{ model_type: 'llama', num_key_value_heads: 8, num_attention_heads: 32, head_dim: 128 },
          ...{ max_position_embeddings: 8192, rms_norm_eps: 1e-5, rope_theta: 1e6, eos_token_id: 2 },
          ...fields,
        },
        undefined,
        'config.json',
      );
    const four = shape({
      ...{ vocab_size: 151_936, hidden_size: 2560, intermediate_size: 9728, num_hidden_layers: 36 },
      tie_word_embeddings: true,
    });
    const eight = shape({
      ...{ vocab_size: 128_256, hidden_size: 4096, intermediate_size: 14_336, num_hidden_layers: 32 },
      tie_word_embeddings: false,
    });
    for (const [model, billions] of [
      [four, 4.02],
      [eight, 8.03],
    ] as const) {
      expect(matrixWeights(model) / 1e9).to.be.closeTo(billions, 0.01);
      const large = { model: 'large', config: model, weightBytes: 1.25 * matrixWeights(model) };
      const options = { ...wasm, memory: 24e9 };
      for (const engine of ['wasm', 'native'] as const) {
        checkModelFits({ name: engine }, 4 * largestLayer(model));
        cacheBudget([{ ...large, length: 2048, exact: true }], { ...options, engine });
      }
      const twice = { ...options, wasmCopies: 2 };
      cacheBudget([{ ...large, length: 2048, exact: true }], twice);
    }
    // four bytes a weight are too many
    const wide = { model: 'wide', config: eight, weightBytes: 4 * matrixWeights(eight) };
    expect(refusal({ engine: 'native', memory: 24e9 }, [{ ...wide, length: 2048, exact: true }])).to.match(
      /needs about 3\d\.\d GB/,
    );
  });

  it('is never more than the machine has', () => {
    expect(machineMemory()).to.be.within(2 ** 20, 2 ** 50);
  });
});
