/** Sliding layers hold what their window reaches, whatever the codec. */
import { expect } from 'chai';
import fc from 'fast-check';
import { sumBytes } from '../../src/cache/bytes.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { openKernels } from '../../src/kernels/index.js';
import { cases } from './support.js';

describe('packed sides in a sliding layer', () => {
  it('hold the last W − 1 positions of what is kept, as they are without a window', () => {
    const kernels = openKernels();
    fc.assert(
      fc.property(cases, fc.integer({ min: 2, max: 50 }), ({ trace, plan, dtype }, window) => {
        const whole = encodeLayer(trace, plan, dtype, kernels);
        const held = encodeLayer({ ...trace, window }, plan, dtype, kernels);
        const least = trace.length - window + 1;
        const kept = plan.tokens.map((tokens) => tokens.filter((position) => position >= least).length);
        expect(held.kept).to.deep.equal(kept);
        const { keys, values } = held.decode();
        const all = whole.decode();
        kept.forEach((count, head) => {
          const last = (side: Float32Array): Float32Array =>
            side.subarray(side.length - count * trace.headDim);
          expect(keys[head]).to.deep.equal(last(all.keys[head]!));
          expect(values[head]).to.deep.equal(last(all.values[head]!));
        });
        expect(sumBytes(held.bytes())).to.be.at.most(sumBytes(whole.bytes()));
        for (const cache of [whole, held]) cache.free();
      }),
      { numRuns: 150 },
    );
  });
});
