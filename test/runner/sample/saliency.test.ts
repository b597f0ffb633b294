import { onceByName } from '../../../src/cache/once.js';
import { expect } from 'chai';
import type { LayerTrace } from '../../../src/cache/types.js';
import { observationKey } from '../../../src/cache/types.js';
import { headSaliency } from '../../../src/runner/sample/saliency.js';

describe('runner/saliency', () => {
  /** One KV head, two channels, four tokens; the queries ask twice as much of channel 1. */
  const trace: LayerTrace = {
    layer: 0,
    layers: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 2,
    length: 4,
    keys: Float32Array.of(1, 1, 2, 1, 3, 1, -4, 1),
    values: new Float32Array(8),
    once: onceByName(),
    observations: new Map([
      [observationKey({ kind: 'window_queries', window: 32 }), Float32Array.of(1, 2, 0, 0, 0, 0, 0, 0)],
    ]),
  };

  it('measures a·k², who keeps what, and how much it varies', () => {
    const found = headSaliency(trace, { head: 0, ratio: 0.5, rows: 2 });
    expect(found.positions).to.deep.equal([0, 3]);
    expect(found.saliency).to.deep.equal([
      [1, 2],
      [16, 2],
    ]);
    expect(found.keptShare).to.deep.equal([0.75, 0.25]);
    // Channel 0: 1, 4, 9, 16 → deviation √32.25 over mean 7.5; channel 1 never varies.
    expect(found.variation).to.be.closeTo(Math.sqrt(32.25) / 7.5 / 2, 1e-6);
  });

  it('gives all tokens where there is room', () => {
    expect(headSaliency(trace, { head: 0, ratio: 0, rows: 9 }).positions).to.deep.equal([0, 1, 2, 3]);
    expect(headSaliency(trace, { head: 0, ratio: 0, rows: 1 }).positions).to.deep.equal([0]);
  });
});
