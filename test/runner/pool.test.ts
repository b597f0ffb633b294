/** The order of jobs for several workers. */
import { expect } from 'chai';
import type { Job } from '../../src/runner/jobs.js';
import { longestFirst } from '../../src/runner/pool.js';

describe('longestFirst', () => {
  it('puts long contexts first, and keeps models and weightSets together and samples in order', () => {
    const groups = [
      { model: 'a', context: 1024 },
      { model: 'a', context: 4096 },
      { model: 'b', context: 8192 },
      { model: 'a', context: 4096 },
    ];
    const job = (group: number, sample: number, weightSet = 0): Job => ({
      group,
      sample,
      weightSet,
      missing: [],
    });
    const jobs = [
      job(0, 0),
      job(0, 1),
      job(1, 0),
      job(3, 0),
      job(1, 1),
      job(0, 2, 1),
      job(1, 2, 1),
      job(2, 0),
    ];
    expect(
      longestFirst(jobs, groups).map(({ group, sample, weightSet }) => [group, sample, weightSet].join(' ')),
    ).to.deep.equal(['1 0 0', '3 0 0', '1 1 0', '0 0 0', '0 1 0', '1 2 1', '0 2 1', '2 0 0']);
  });
});
