/** Byte counts against formulas that are written here once more. */
import { expect } from 'chai';
import fc from 'fast-check';
import { addBytes, fullBytes, NO_BYTES, paperBytes, sumBytes } from '../../src/cache/bytes.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { fullPlan } from '../../src/cache/plan.js';
import { CHUNK_TOKENS } from '../../src/cache/rows/tail.js';
import type { ByteParts, LayerPlan, SidePlan } from '../../src/cache/types.js';
import { openKernels } from '../../src/kernels/index.js';
import { cases, makeTrace, randomFrom, type Case } from './support.js';

const kernels = openKernels();

function ones(mask: Uint8Array): number {
  return mask.filter((bit) => bit === 1).length;
}

function expectedBytes({ trace, plan, dtype }: Case): ByteParts {
  const entry = dtype === 'bfloat16' ? 2 : 4;
  const D = trace.headDim;
  let total = NO_BYTES;
  const add = (parts: Partial<ByteParts>): void => {
    total = addBytes(total, { ...NO_BYTES, ...parts });
  };
  for (const side of [plan.keys, plan.values]) {
    plan.tokens.forEach(({ length: n }, head) => {
      if (n === 0) return;
      if (side.codec === 'dense') add({ value: n * D * entry });
      else if (side.codec === 'channels') {
        const recent = Math.min(n, side.recent);
        add({ value: ((n - recent) * ones(side.masks[head]!) + recent * D) * entry });
        if (n > recent) add({ mask: D / 8 });
      } else if (side.codec === 'sparse') {
        const { mask, fill } = side.heads[head]!;
        const kept = ones(mask);
        add({ value: kept * entry, mask: (n * D) / 8 });
        if (fill.kind === 'signed') add({ sign: (n * D) / 8, scale: (n + D) * entry });
        if (fill.kind === 'mean') add({ scale: n * entry });
      }
    });
  }
  return total;
}

/** `[n, D]` mask that keeps T channels of every token. */
function regularMask(n: number, D: number, T: number): Uint8Array {
  return Uint8Array.from({ length: n * D }, (_, i) => (((i % D) * 7 + Math.floor(i / D)) % D < T ? 1 : 0));
}

function sparkKeys(n: number, D: number, T: number): SidePlan {
  const fill = {
    kind: 'signed' as const,
    scale: new Float32Array(n).fill(0.5),
    channel: new Float32Array(D).fill(0.25),
  };
  return { codec: 'sparse', heads: [{ mask: regularMask(n, D, T), fill }] };
}

describe('LayerCache.bytes', () => {
  it('equals the formulas of the codecs and what the memory holds', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const before = kernels.memory.bytesInUse;
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        expect(cache.bytes()).to.deep.equal(expectedBytes(c));
        // every buffer is rounded up to 16 bytes, and a head has at most 10 of them
        const rounding = kernels.memory.bytesInUse - before - sumBytes(cache.bytes());
        expect(rounding).to.be.within(0, 15 * 10 * c.trace.kvHeads);
        cache.free();
      }),
    );
  });

  it('of a full plan are the full bytes, tail apart', () => {
    const trace = makeTrace({ heads: 4, kvHeads: 2, headDim: 64, length: 37 }, randomFrom(1));
    for (const dtype of ['bfloat16', 'float32'] as const) {
      const cache = encodeLayer(trace, fullPlan(trace), dtype, kernels);
      const entry = dtype === 'bfloat16' ? 2 : 4;
      expect(cache.bytes()).to.deep.equal({ ...NO_BYTES, value: fullBytes(trace, dtype) });
      expect(fullBytes(trace, dtype)).to.equal(2 * 2 * 37 * 64 * entry);
      expect(cache.tailBytes()).to.equal(0);
      const row = new Float32Array(3 * 2 * 64);
      cache.append(row, row, 3);
      expect(cache.bytes().value).to.equal(fullBytes(trace, dtype));
      expect(cache.tailBytes()).to.equal(2 * 2 * CHUNK_TOKENS * 64 * entry);
      cache.free();
    }
  });

  // 16·T + D + D + 16 bits per token, against 16·D, plus one D-vector per head
  for (const { D, ratio, percent } of [
    { D: 64, ratio: 0.8, percent: 34.4 },
    { D: 64, ratio: 0.5, percent: 64.1 },
    { D: 128, ratio: 0.8, percent: 33.6 },
    { D: 128, ratio: 0.5, percent: 63.3 },
  ]) {
    it(`of SparK keys with D = ${D} and ratio ${ratio} are ${percent} % of dense`, () => {
      const n = 256;
      const T = D - Math.floor(ratio * D);
      const trace = makeTrace({ heads: 1, kvHeads: 1, headDim: D, length: n }, randomFrom(2));
      const plan: LayerPlan = { ...fullPlan(trace), keys: sparkKeys(n, D, T) };
      const cache = encodeLayer(trace, plan, 'bfloat16', kernels);
      const keyBytes = sumBytes(cache.bytes()) - n * D * 2 - D * 2;
      expect(8 * keyBytes).to.equal(n * (16 * T + D + D + 16));
      expect((100 * keyBytes) / (n * D * 2)).to.be.closeTo(percent, 0.05);
      cache.free();
    });
  }
});

describe('paperBytes', () => {
  it('counts kept entries of keys and values at the width of the format', () => {
    const trace = makeTrace({ heads: 1, kvHeads: 1, headDim: 64, length: 10 }, randomFrom(3));
    const full = fullPlan(trace);
    expect(paperBytes(trace, full, 'bfloat16')).to.equal(fullBytes(trace, 'bfloat16'));
    const spark = { ...full, keys: sparkKeys(10, 64, 13) };
    expect(paperBytes(trace, spark, 'bfloat16')).to.equal(10 * (13 + 64) * 2);
    expect(paperBytes(trace, spark, 'float32')).to.equal(10 * (13 + 64) * 4);
    const masks = [regularMask(1, 64, 20)];
    const think: LayerPlan = { ...full, keys: { codec: 'channels', masks, recent: 4 } };
    expect(paperBytes(trace, think, 'bfloat16')).to.equal((6 * 20 + 4 * 64 + 10 * 64) * 2);
  });

  it('equals the measured value bytes for every plan', () => {
    fc.assert(
      fc.property(cases, (c) => {
        const cache = encodeLayer(c.trace, c.plan, c.dtype, kernels);
        expect(paperBytes(c.trace, c.plan, c.dtype)).to.equal(cache.bytes().value);
        cache.free();
      }),
    );
  });
});
