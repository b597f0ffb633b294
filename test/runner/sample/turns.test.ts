import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import { OutOfCacheMemory } from '../../../src/kernels/memory.js';
import type { Pipeline } from '../../../src/methods/types.js';
import { expectToFit, inTurns } from '../../../src/runner/sample/turns.js';

const pipelines = ['a', 'b', 'c', 'd', 'e'].map((label): Pipeline => ({ label, steps: [] }));
const labels = (turn: readonly Pipeline[]): string => turn.map(({ label }) => label).join('');

/** Turns with rows of these sizes in a memory of 100 bytes. */
function turnsOf(needs: Readonly<Record<string, number>>): Promise<string[]> {
  return inTurns(pipelines, (turn) => {
    expectToFit(
      turn.map(({ label }) => needs[label]!),
      100,
    );
    return Promise.resolve(labels(turn));
  });
}

describe('turns', () => {
  it('one where everything fits', async () => {
    expect(await turnsOf({ a: 10, b: 10, c: 10, d: 10, e: 10 })).to.deep.equal(['abcde']);
  });

  it('as many together as fit, in order', async () => {
    expect(await turnsOf({ a: 50, b: 40, c: 30, d: 30, e: 30 })).to.deep.equal(['ab', 'cde']);
  });

  it('gives a row that is too large a turn of its own', async () => {
    expect(await turnsOf({ a: 10, b: 500, c: 10, d: 10, e: 10 })).to.deep.equal(['a', 'b', 'cde']);
  });

  it('halves what runs out of memory later', async () => {
    const run = (turn: readonly Pipeline[]): Promise<string> =>
      turn.length > 2 ? Promise.reject(new OutOfCacheMemory('full')) : Promise.resolve(labels(turn));
    expect(await inTurns(pipelines, run)).to.deep.equal(['ab', 'c', 'de']);
  });

  it('names what does not fit alone, and passes other errors on', async () => {
    const failing = (error: Error): Promise<unknown> =>
      inTurns(pipelines, () => Promise.reject(error)).catch((e: unknown) => e);
    const error = await failing(new OutOfCacheMemory('out of cache memory', { hint: 'less' }));
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).format()).to.equal('a  out of cache memory\n  less');
    const other = new Error('other');
    expect(await failing(other)).to.equal(other);
  });
});
