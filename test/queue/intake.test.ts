import { expect } from 'chai';
import type { RunBoard } from '../../src/queue/board.js';
import { Intake } from '../../src/queue/intake.js';
import { jobId } from '../../src/queue/messages.js';
import type { Job, JobRecord } from '../../src/runner/jobs.js';
import { CELLS, jobs, manifest, record, recordsOf, spec } from './support.js';

/** Results in a list, as Redis keeps them. */
function boardWith(
  results: unknown[],
): Pick<RunBoard, 'oldestResults' | 'dropOldestResults'> & { left: string[] } {
  const board = {
    left: results.map((result) => (typeof result === 'string' ? result : JSON.stringify(result))),
    oldestResults: (count: number) => Promise.resolve(board.left.slice(0, count)),
    dropOldestResults: (count: number) => {
      board.left.splice(0, count);
      return Promise.resolve();
    },
  };
  return board;
}

const resultOf = (job: Job, records: JobRecord[] = recordsOf(job)): object => ({
  kind: 'records',
  worker: 'w',
  job: jobId(job),
  records,
});

async function takeAll(
  results: unknown[],
  mine = jobs,
  onRecords: (records: readonly JobRecord[]) => void = () => undefined,
): Promise<{ intake: Intake; left: string[]; taken: JobRecord[]; closed: string[] }> {
  const board = boardWith(results);
  const [taken, closed]: [JobRecord[], string[]] = [[], []];
  const intake = new Intake(spec, board as unknown as RunBoard, manifest, mine, (_, records) => {
    onRecords(records);
    taken.push(...records);
  });
  while ((await intake.take((id) => Promise.resolve(closed.push(id)))) > 0);
  return { intake, left: board.left, taken, closed };
}

describe('the intake of results', () => {
  it('counts a result once, however often it is delivered', async () => {
    const { intake, taken, closed, left } = await takeAll(
      [...jobs, ...jobs, jobs[0]!].map((job) => resultOf(job)),
    );
    expect(taken).to.have.length(12);
    expect(closed).to.deep.equal(jobs.map(jobId));
    expect(intake.open.size).to.equal(0);
    expect(left).to.deep.equal([]);
  });

  it('counts a record once where a result holds it twice', async () => {
    const { taken } = await takeAll([resultOf(jobs[0]!, [...recordsOf(jobs[0]!), ...recordsOf(jobs[0]!)])]);
    expect(taken).to.have.length(2);
  });

  it('takes of a result what is missing, and leaves open what it does not hold', async () => {
    const second = { ...jobs[0]!, missing: [jobs[0]!.missing[1]!] };
    const more = await takeAll([resultOf(jobs[0]!)], [second]);
    expect(more.taken.map(({ cell }) => cell)).to.deep.equal([CELLS[1]]);
    expect(more.intake.open.size).to.equal(0);

    const less = await takeAll([resultOf(second)], [jobs[0]!]);
    expect(less.taken.map(({ cell }) => cell)).to.deep.equal([CELLS[1]]);
    expect([...less.intake.open.values()]).to.deep.equal([{ ...jobs[0]!, missing: [jobs[0]!.missing[0]!] }]);
    expect(less.closed).to.deep.equal([]);
  });

  it('leaves a result that cannot be written where it is', async () => {
    let full = false;
    const board = boardWith(jobs.slice(0, 3).map((job) => resultOf(job)));
    const intake = new Intake(spec, board as unknown as RunBoard, manifest, jobs, ({ sample }) => {
      full = sample === 1;
      if (full) throw new Error('the disk is full');
    });
    const error: unknown = await intake.take(() => Promise.resolve()).catch((e: unknown) => e);
    expect((error as Error).message).to.equal('the disk is full');
    expect(board.left).to.have.length(2);
  });

  for (const [what, result, says] of [
    ['no JSON', '{', /not a result/],
    ['another message', { kind: 'job' }, /not a result/],
    ['a cell of another group', resultOf(jobs[0]!, [record(CELLS[2]!, 0)]), /result of another job/],
    ['an unknown cell', resultOf(jobs[0]!, [record('f'.repeat(16), 0)]), /result of another job/],
    ['another sample', resultOf(jobs[0]!, [record(CELLS[0]!, 1)]), /result of another job/],
  ] as const) {
    it(`takes nothing of ${what}, and says so`, async () => {
      const { intake, taken, left } = await takeAll([result]);
      expect(intake.failure()?.message).to.match(says);
      expect(taken).to.deep.equal([]);
      expect(left).to.deep.equal([]);
      expect(intake.open.size).to.equal(6);
    });
  }

  it('keeps the first failure, its place and worker', async () => {
    const failed = (job: Job, message: string): object => ({
      kind: 'failed',
      worker: 'w\u001b[1m',
      job: jobId(job),
      error: { message, user: { exitCode: 1 } },
    });
    const { intake, taken } = await takeAll([
      failed(jobs[4]!, 'one'),
      failed(jobs[5]!, 'two'),
      resultOf(jobs[0]!),
    ]);
    expect(intake.failure()).to.include({
      message: 'one',
      place: 'ruler/niah_single_1 416 #1, worker w [1m',
    });
    expect(taken).to.have.length(2);
    intake.forgetFailure();
    expect(intake.failure()).to.equal(undefined);
  });

  it('takes a pipeline that could not be applied for a result, its text cleaned', async () => {
    const job = jobs[0]!;
    const [first, second] = job.missing;
    const error = { message: 'prunes\u001b[1m none', user: { place: 'think', exitCode: 1 } } as const;
    const failure = { cell: second!.cell, sample: job.sample, error };
    const { intake, taken, closed } = await takeAll([
      resultOf(job, [record(first!.cell, job.sample), failure]),
    ]);
    expect(closed).to.deep.equal([jobId(job)]);
    expect(intake.failure()).to.equal(undefined);
    expect(taken[1]).to.deep.nested.include({
      cell: second!.cell,
      'error.message': 'prunes [1m none',
      'error.user.place': 'think',
    });
  });

  it('does not mind a failure of a job that another worker has done', async () => {
    const failed = { kind: 'failed', worker: 'w', job: jobId(jobs[0]!), error: { message: 'late' } };
    const { intake } = await takeAll([resultOf(jobs[0]!), failed]);
    expect(intake.failure()).to.equal(undefined);
  });
});
