import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { dispatch } from '../../src/runner/dispatch.js';
import type { Job, JobRunner } from '../../src/runner/jobs.js';
import { UserError } from '../../src/base/errors.js';
import { processors } from '../../src/base/processors.js';
import { checkWorkers, threadsOfEach } from '../../src/runner/workers.js';

const jobs = Array.from({ length: 7 }, (_, sample): Job => ({ group: 0, sample, weightSet: 0, missing: [] }));

/** Runners that take some turns of the event loop for each job and write down what they do. */
function runners(count: number, log: string[], failing = -1): JobRunner[] {
  return Array.from({ length: count }, () => ({
    async run({ sample }) {
      log.push(`+${sample}`);
      await sleep(1);
      log.push(`-${sample}`);
      if (sample === failing) throw new Error(`job ${sample}`);
      return [];
    },
    close: () => undefined,
  }));
}

const samplesOf = (log: readonly string[], mark: string): string =>
  log
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(1))
    .sort()
    .join('');

describe('dispatch', () => {
  for (const count of [1, 2, 3, 9]) {
    it(`runs every job once, ${count} runners`, async () => {
      const log: string[] = [];
      const done: number[] = [];
      await dispatch(jobs, runners(count, log), {
        calibrates: () => undefined,
        onRecords: ({ sample }) => done.push(sample),
      });
      expect(samplesOf(log, '+')).to.equal('0123456');
      expect(done.toSorted((a, b) => a - b)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
      if (count > 1) expect(log.slice(0, 2)).to.deep.equal(['+0', '+1']);
    });
  }

  it('lets one runner calibrate before the others begin', async () => {
    const log: string[] = [];
    await dispatch(jobs, runners(3, log), { calibrates: () => 'weights', onRecords: () => undefined });
    expect(log.slice(0, 2)).to.deep.equal(['+0', '-0']);
    expect(log.slice(2, 4).every((line) => line.startsWith('+'))).to.equal(true);
  });

  it('ends with the failure when the jobs that run are done', async () => {
    const log: string[] = [];
    const error: unknown = await dispatch(jobs, runners(2, log, 2), {
      calibrates: () => undefined,
      onRecords: () => undefined,
    }).catch((e: unknown) => e);
    expect((error as Error).message).to.equal('job 2');
    expect(samplesOf(log, '+')).to.equal(samplesOf(log, '-'));
    expect(samplesOf(log, '+').length).to.be.below(jobs.length);
  });
});

describe('checkWorkers', () => {
  it('refuses to share a GPU', () => {
    checkWorkers(1, 'gpu');
    checkWorkers(2, 'wasm');
    checkWorkers(2, 'native');
    expect(() => {
      checkWorkers(2, 'gpu');
    }).to.throw(UserError, 'one GPU');
  });
});

describe('threadsOfEach', () => {
  it('shares the processors out, unless the environment names a number', () => {
    const before = process.env['TF_NUM_INTRAOP_THREADS'];
    try {
      delete process.env['TF_NUM_INTRAOP_THREADS'];
      expect(threadsOfEach(1)).to.equal(undefined);
      expect(threadsOfEach(Math.max(2, processors()))).to.equal(1);
      expect(threadsOfEach(10 * processors())).to.equal(1);
      process.env['TF_NUM_INTRAOP_THREADS'] = '3';
      expect(threadsOfEach(2)).to.equal(undefined);
    } finally {
      if (before === undefined) delete process.env['TF_NUM_INTRAOP_THREADS'];
      else process.env['TF_NUM_INTRAOP_THREADS'] = before;
    }
  });
});
