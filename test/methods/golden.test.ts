/** Plans of the tiny golden llama against the tensors and positions of the released code. */
import { join } from 'node:path';
import { expect } from 'chai';
import { observationsOf, planLayer } from '../support/planning.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { GOLDEN_DIR, maxDifference, readGolden, stepsOf } from '../golden/support.js';
import { goldenTrace, readSide } from './support.js';

const golden = readGolden('llama');

function planned(name: string, layer: number) {
  const steps = stepsOf(name)!;
  const trace = goldenTrace(layer, observationsOf([{ label: name, steps }]));
  return { trace, plan: planLayer(trace, steps) };
}

describe('golden plans', () => {
  describe('kept positions of every layer', () => {
    for (const name of ['snapkv budget=80', 'snapkv budget=128', 'streaming_llm budget=64']) {
      it(name, () => {
        const expected = golden.pipelines.find((pipeline) => pipeline.name === name)!.kept_positions!;
        expected.forEach((positions, layer) => {
          const { plan } = planned(name, layer);
          expect(plan.tokens.map((tokens) => [...tokens])).to.deep.equal(positions);
        });
      });
    }
  });

  describe('keys and values of layer 1', () => {
    for (const name of [
      'spark ratio=0.3',
      'spark ratio=0.5',
      'spark ratio=0.8',
      'spark ratio=0.9',
      'spark ratio=0.5 recovery=none',
      'spark ratio=0.8 recovery=none',
      'spark ratio=0.5 value_ratio=0.5',
      'spark groups=5 recovery=none',
      'think ratio=0.5 variant=kvpress',
      'think ratio=0.8 variant=kvpress',
      'snapkv budget=128 + spark ratio=0.5',
      'snapkv budget=128 + spark ratio=0.8',
      'snapkv budget=128 + think ratio=0.5 variant=kvpress',
      'snapkv budget=128 + think ratio=0.8 variant=kvpress',
    ]) {
      it(name, () => {
        const { trace, plan } = planned(name, 1);
        const file = openSafetensors(join(GOLDEN_DIR, 'llama', 'layer1.safetensors'));
        const keys = rows(file.read(`${name}/keys`), trace.kvHeads, trace.headDim);
        const values = rows(file.read(`${name}/values`), trace.kvHeads, trace.headDim);
        file.close();
        const ours = { keys: readSide(trace, plan, 'keys'), values: readSide(trace, plan, 'values') };
        for (let h = 0; h < trace.kvHeads; h++) {
          // After an eviction the released code stores tokens in the order of their scores; whole values tell which is which.
          const order = name.startsWith('snapkv')
            ? matchRows(values[h]!, ours.values[h]!, trace.headDim)
            : values[h]!.map((_, t) => t);
          const reorder = (list: Float32Array[]) => order.flatMap((t) => [...list[t]!]);
          expect(maxDifference(ours.keys[h]!, reorder(keys[h]!))).to.be.below(1e-4);
          expect(maxDifference(ours.values[h]!, reorder(values[h]!))).to.be.below(1e-4);
        }
      });
    }
  });
});

/** `[KV, n, D]` → per KV head, the rows. */
function rows(data: Float32Array, kvHeads: number, width: number): Float32Array[][] {
  const n = data.length / kvHeads / width;
  return Array.from({ length: kvHeads }, (_, h) =>
    Array.from({ length: n }, (_, t) => data.subarray((h * n + t) * width, (h * n + t + 1) * width)),
  );
}

/** For each row of `wanted` `[n, D]`, the index of the equal row of `list`. */
function matchRows(list: Float32Array[], wanted: Float32Array, width: number): number[] {
  const index = new Map(list.map((row, t) => [row.join(), t]));
  return Array.from(list, (_, t) => {
    const found = index.get(wanted.subarray(t * width, (t + 1) * width).join());
    if (found === undefined) throw new Error(`row ${t} is not among the golden values`);
    return found;
  });
}
