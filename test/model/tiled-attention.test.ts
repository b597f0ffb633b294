/** Attention in tiles against the softmax over whole rows, on the engines present. */
import { expect } from 'chai';
import type { Engine, Tensor } from '../../src/engine/types.js';
import { causalAttention, type LayerHeads } from '../../src/model/prefill-attention.js';
import { tiledAttention } from '../../src/model/tiled-attention.js';
import { engineOrSkip, TESTED_ENGINES } from '../support/engines.js';
import { waves } from '../methods/support.js';

const [H, KV, D] = [4, 2, 8];

for (const name of TESTED_ENGINES) {
  describe(`tiled attention on ${name}`, () => {
    let engine: Engine;
    before(async function () {
      engine = await engineOrSkip(this, name);
    });

    const drawn = (heads: number, S: number, size: number): Tensor => {
      const next = waves();
      return engine.ops.fromHost(
        Float32Array.from({ length: heads * S * D }, () => size * next()),
        [heads, S, D],
      );
    };

    /** Largest difference from the softmax. */
    function difference(S: number, size: number): number {
      const { ops } = engine;
      const before = ops.numTensors();
      const worst = ops.tidy(() => {
        const heads: LayerHeads = {
          queries: drawn(H, S, size),
          keys: drawn(KV, S, size),
          values: drawn(KV, S, 1),
        };
        const found = ops.toHost(tiledAttention(ops, heads));
        const expected = ops.toHost(causalAttention(ops, heads, 0).attended);
        expect(found.length).to.equal(S * H * D);
        return found.reduce((most, x, i) => {
          const off = Math.abs(x - expected[i]!);
          return off <= most ? most : off;
        }, 0);
      });
      expect(ops.numTensors()).to.equal(before);
      return worst;
    }

    for (const S of [1, 7, 512, 513, 1100, 2600]) {
      it(`${S} tokens`, () => {
        expect(difference(S, 1)).to.be.below(1e-5);
      });
    }

    it('takes the softmax where exp() alone would overflow or vanish', () => {
      expect(difference(600, 12)).to.be.below(1e-4);
    });
  });
}
