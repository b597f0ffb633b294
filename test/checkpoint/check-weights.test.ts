import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkWeights, expectedTensors } from '../../src/checkpoint/check-weights.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import { packFloats } from '../../src/checkpoint/packed-weights.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import type { ModelConfig, WeightSource } from '../../src/checkpoint/types.js';
import { FIXTURES, userError } from '../model/support.js';

const configOf = (name: string): ModelConfig =>
  parseConfig(
    JSON.parse(readFileSync(join(FIXTURES, 'golden', name, 'config.json'), 'utf8')),
    undefined,
    name,
  );

function sourceOf(tensors: ReadonlyMap<string, readonly number[]>): WeightSource {
  return {
    names: [...tensors.keys()],
    shape: (name) => tensors.get(name)!,
    read: () => new Float32Array(0),
    packed: () => packFloats([0], new Float32Array(0)),
    close: () => undefined,
  };
}

describe('checkWeights', () => {
  for (const name of ['llama', 'llama3', 'qwen2', 'qwen3']) {
    it(`expects exactly the tensors of the golden ${name}`, () => {
      const weights = openSafetensors(join(FIXTURES, 'golden', name, 'model.safetensors'));
      checkWeights(configOf(name), weights, name);
      const expected = expectedTensors(configOf(name));
      expect([...expected.keys()].sort()).to.deep.equal([...weights.names].sort());
      weights.close();
    });
  }

  const config = configOf('llama');
  const changed = (name: string, shape?: readonly number[]): string => {
    const tensors = expectedTensors(config);
    if (shape === undefined) tensors.delete(name);
    else tensors.set(name, shape);
    const error = userError(() => {
      checkWeights(config, sourceOf(tensors), 'w');
    });
    expect(error.place).to.equal('w');
    return error.message;
  };

  it('names a tensor that is missing, misshapen or unknown', () => {
    expect(changed('model.norm.weight')).to.equal('has no tensor "model.norm.weight"');
    expect(changed('model.norm.weight', [63])).to.match(/expects \[64\], found \[63\]/);
    expect(changed('model.layers.0.self_attn.o_proj.bias', [64])).to.match(
      /o_proj.bias" is not part of a llama/,
    );
  });

  it('ignores what does not matter', () => {
    const tensors = expectedTensors(config);
    tensors.set('lm_head.weight', [160, 64]);
    tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', [32]);
    checkWeights(config, sourceOf(tensors), 'w');
  });
});
