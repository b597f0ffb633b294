import { expect } from 'chai';
import type { LayerTrace } from '../../../src/cache/types.js';
import { windowAttention } from '../../../src/methods/observations.js';
import { snapScores } from '../../../src/methods/token/snap-score.js';
import { smallTrace } from '../support.js';

describe('the score of snapkv and pyramidkv', () => {
  const peaks = (): LayerTrace => {
    const trace = smallTrace({ heads: 2, kvHeads: 1, headDim: 8, length: 12 }, [windowAttention(4)]);
    const attention = [...trace.observations.values()][0]!.fill(0);
    attention[2] = 0.5; // head 0
    attention[12 + 4] = 0.3; // head 1
    return trace;
  };
  const scoresOf = (pool: 'average' | 'maximum', group: 'pooled' | 'mean'): number[] =>
    [...snapScores(peaks(), { window: 4, kernel: 3, pool, group })]
      .slice(0, 8)
      .map((x) => Math.round(x * 1e4) / 1e4);

  it('pools by average, wherever the group is averaged', () => {
    const expected = [0, 0.0833, 0.0833, 0.1333, 0.05, 0.05, 0, 0];
    expect(scoresOf('average', 'pooled')).to.deep.equal(expected);
    expect(scoresOf('average', 'mean')).to.deep.equal(expected);
  });

  it('pools by maximum before or after the mean of the group', () => {
    expect(scoresOf('maximum', 'pooled')).to.deep.equal([0, 0.25, 0.25, 0.4, 0.15, 0.15, 0, 0]);
    expect(scoresOf('maximum', 'mean')).to.deep.equal([0, 0.25, 0.25, 0.25, 0.15, 0.15, 0, 0]);
  });
});
