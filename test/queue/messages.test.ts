import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { parseJob, parseResult, parseRunCard, printable, printableError } from '../../src/queue/messages.js';
import { record } from './support.js';

const CARD = {
  name: 'run',
  spec: { file: 'spec.yaml', folder: '/x', text: 'name: run' },
  engine: 'wasm',
  identity: { cells: 'x' },
};
const JOB = { group: 0, sample: 1, weightSet: 0, missing: [{ pipeline: 0, cell: '0123456789abcdef' }] };

describe('what goes over a queue', () => {
  it('is read as it was written', () => {
    expect(parseRunCard(JSON.stringify(CARD))).to.deep.equal(CARD);
    expect(parseJob(JOB)).to.deep.equal(JOB);
    const result = { kind: 'records', worker: 'w', job: '0-0-1', records: [record('0123456789abcdef', 1)] };
    expect(parseResult(JSON.stringify(result))).to.deep.equal(result);
  });

  it('is refused where it is anything else', () => {
    const wrong = [
      () => parseRunCard('{'),
      () => parseRunCard('null'),
      () => parseRunCard(JSON.stringify({ ...CARD, engine: 'abacus' })),
      () => parseRunCard(JSON.stringify({ ...CARD, more: 1 })),
      () => parseRunCard(JSON.stringify({ ...CARD, identity: { cells: 1 } })),
      () => parseJob({ ...JOB, group: -1 }),
      () => parseJob({ ...JOB, sample: 0.5 }),
      () => parseJob({ ...JOB, missing: [] }),
      () => parseJob('0-0-1'),
      () => parseResult('[]'),
      () => parseResult(JSON.stringify({ kind: 'records', worker: 'w', job: '0-0-1', records: [{}] })),
      () => parseResult(JSON.stringify({ kind: 'failed', worker: 'w', job: '0-0-1', error: 'no' })),
      () =>
        parseResult(
          JSON.stringify({
            kind: 'records',
            worker: 'w',
            job: '0-0-1',
            records: [{ ...record('0123456789abcdef', 1), score: 2 }],
          }),
        ),
    ];
    for (const read of wrong) expect(read).to.throw(UserError, /what stands in Redis is not a/);
  });

  it('reaches a terminal without control characters', () => {
    expect(printable('a\u001b[31mb\u0007\nc\u009b')).to.equal('a [31mb c ');
    expect(printable('x'.repeat(1000))).to.have.length(500);
    const error = printableError({ message: 'one\ntwo\u001b[2J', user: { exitCode: 1 } }, 'here');
    expect(error).to.deep.equal({
      message: 'one\ntwo [2J',
      stack: undefined,
      user: { place: 'here', hint: undefined, exitCode: 1 },
    });
  });
});
