import { expect } from 'chai';
import { withinProcessorTime, withinTime } from '../../src/checkpoint/time-limit.js';

/** Time by the clock in which nothing is computed, as on a machine that computes for others. */
function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the limit on processor time', () => {
  it('stops what computes for ever', () => {
    let attempts = 0;
    const endless = (): void => {
      attempts++;
      while (attempts > 0);
    };
    expect(() => {
      withinProcessorTime(200, endless);
    }).to.throw(/does not end in 0.2 s of processor time/);
    expect(attempts).to.be.within(1, 3);
  });

  it('lets go on what waits for the processor', () => {
    let attempts = 0;
    const waiting = (): string => {
      attempts++;
      wait(400);
      return 'done';
    };
    expect(withinProcessorTime(200, waiting)).to.equal('done');
    expect(attempts).to.be.above(1);
  });

  it('ends at ten times the limit by the clock, whatever was computed', () => {
    expect(() => {
      withinProcessorTime(20, () => {
        wait(60_000);
      });
    }).to.throw(/does not end/);
  });

  it('passes on what the function returns and throws', () => {
    expect(withinTime(1, () => 3)).to.equal(3);
    expect(() => {
      withinTime(1, () => {
        throw new TypeError('of its own');
      });
    }).to.throw(TypeError, 'of its own');
  });
});
