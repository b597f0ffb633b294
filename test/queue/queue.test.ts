/** A coordinator and workers on a real Redis, the computing left out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { expect } from 'chai';
import { listRuns, QUEUE_PREFIX, RunBoard } from '../../src/queue/board.js';
import { connectRedis, type Connection } from '../../src/queue/connection.js';
import { Coordinator, type CoordinatorOptions } from '../../src/queue/coordinator.js';
import { jobId } from '../../src/queue/messages.js';
import { Serving } from '../../src/queue/serving.js';
import { UserError } from '../../src/base/errors.js';
import type { Job, JobRecord, JobRunner } from '../../src/runner/jobs.js';
import { WorkerEnded } from '../../src/runner/workers.js';
import { needsRedis, startRedis, type TestRedis } from '../support/redis.js';
import { admitted, jobs, listener, manifest, recordsOf, SOURCE, spec } from './support.js';

const compute: JobRunner['run'] = (job) => Promise.resolve(recordsOf(job));

describe('the queue, on a real Redis', function () {
  this.timeout(30_000);
  let server: TestRedis | undefined;
  const opened: { close(): unknown }[] = [];

  before(async function () {
    needsRedis(this);
    server = await startRedis();
  });
  beforeEach(() => server!.client.flushall());
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });
  after(() => server?.stop());

  const connect = async (log: (line: string) => void = () => undefined): Promise<Connection> => {
    const text = `redis://127.0.0.1:${server!.port}/0`;
    const connection = await connectRedis(
      { options: { host: '127.0.0.1', port: server!.port, db: 0 }, text },
      log,
    );
    opened.push(connection);
    return connection;
  };

  /** A coordinator at work; its records, and how it ends. */
  async function coordinate(
    mine: readonly Job[] = jobs,
    options: Partial<CoordinatorOptions> = {},
    onRecords: (records: readonly JobRecord[]) => void = () => undefined,
  ): Promise<{ records: JobRecord[]; lines: string[]; ended: Promise<unknown> }> {
    const progress = listener();
    const connection = await connect((line) => {
      progress.log(line);
    });
    const records: JobRecord[] = [];
    const coordinator = new Coordinator(
      spec,
      {
        address: { options: { host: '', port: 0, db: 0 }, text: 'redis://test' },
        source: SOURCE,
        fresh: false,
        progress,
        signal: new AbortController().signal,
        ...options,
      },
      connection,
      mine,
      {
        manifest,
        onRecords: (_, some) => {
          onRecords(some);
          records.push(...some);
        },
      },
    );
    const ended = coordinator.run().then(
      () => undefined,
      (error: unknown) => error,
    );
    return { records, lines: progress.lines, ended };
  }

  async function run(): Promise<string> {
    for (;;) {
      const [id] = await listRuns(server!.client);
      if (id !== undefined && (await server!.client.llen(`${QUEUE_PREFIX}:${id}:wait`)) > 0) return id;
      await sleep(10);
    }
  }

  async function serve(
    id: string,
    work: JobRunner['run'] = compute,
    name = 'w',
    leaseMs = 30_000,
  ): Promise<Serving> {
    const { redis } = await connect();
    const { signal } = new AbortController();
    const board = new RunBoard(redis, id);
    const serving = await Serving.open(redis, board, admitted(work), {
      worker: name,
      leaseMs,
      progress: listener(),
      signal,
    });
    opened.unshift(serving);
    return serving;
  }

  /** Computes until nothing is waiting; the ids of the jobs. */
  async function work(serving: Serving): Promise<string[]> {
    const done: string[] = [];
    for (;;) {
      const job = await serving.next();
      if (job === undefined) return done;
      done.push((await serving.compute(job)).result.job);
    }
  }

  const keysLeft = (): Promise<string[]> => server!.client.keys('*');

  it('computes every job once, and leaves nothing in Redis', async () => {
    const { records, ended } = await coordinate();
    const id = await run();
    const workers = [await serve(id, compute, 'v'), await serve(id, compute, 'w')];
    const done = await Promise.all(workers.map(work));
    expect(done.flat().sort()).to.deep.equal(jobs.map(jobId).sort());
    expect(await ended).to.equal(undefined);
    expect(records).to.have.length(12);
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('counts what is delivered twice once', async () => {
    const { records, ended } = await coordinate();
    const id = await run();
    const board = new RunBoard(server!.client, id);
    const serving = await serve(id, async (job) => {
      const text = JSON.stringify({ kind: 'records', worker: 'x', job: jobId(job), records: recordsOf(job) });
      await board.deliver(text);
      await board.deliver(text);
      return recordsOf(job);
    });
    await work(serving);
    expect(await ended).to.equal(undefined);
    expect(records).to.have.length(12);
  });

  it('gives the job of a worker that is gone to another one, after its lease', async () => {
    const { records, ended } = await coordinate();
    const id = await run();
    const lost = await serve(id, compute, 'lost', 200);
    const job = await lost.next();
    await lost.close();
    const other = await serve(id, compute, 'other', 3000);
    const done: string[] = [];
    while (records.length < 12) {
      done.push(...(await work(other)));
      await sleep(20);
    }
    expect(done.sort()).to.deep.equal(jobs.map(jobId).sort());
    expect(done).to.include(job!.id);
    expect(await ended).to.equal(undefined);
  });

  it('keeps a job that takes longer than the lease', async () => {
    const { ended } = await coordinate(jobs.slice(0, 1));
    const id = await run();
    const slow = await serve(
      id,
      async (job) => {
        await sleep(6000);
        return recordsOf(job);
      },
      'slow',
      3000,
    );
    const other = await serve(id, compute, 'other', 200);
    const job = await slow.next();
    const computed = slow.compute(job!);
    for (let i = 0; i < 260; i++) {
      expect(await other.next()).to.equal(undefined);
      await sleep(20);
    }
    expect((await computed).result.kind).to.equal('records');
    expect(await ended).to.equal(undefined);
  });

  it('puts a job back whose process has ended', async () => {
    const { ended } = await coordinate(jobs.slice(0, 1));
    const id = await run();
    const broken = await serve(id, () => Promise.reject(new WorkerEnded('SIGKILL')));
    const error: unknown = await broken.compute((await broken.next())!).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(WorkerEnded);
    expect(await work(await serve(id))).to.deep.equal([jobId(jobs[0]!)]);
    expect(await ended).to.equal(undefined);
  });

  it('gives up a job that has lost six workers', async () => {
    const { ended } = await coordinate(jobs.slice(0, 1));
    const id = await run();
    const key = `${QUEUE_PREFIX}:${id}:${jobId(jobs[0]!)}`;
    await server!.client.hset(key, 'stc', 5);
    const lost = await serve(id, compute, 'lost', 100);
    await lost.next();
    await lost.close();
    const other = await serve(id, compute, 'other', 3000);
    while ((await work(other)).length === 0) await sleep(20);
    await other.close(); // a look of its for lost jobs would leave traces of a run that is over
    const error = await ended;
    expect(error).to.be.instanceOf(UserError);
    expect((error as UserError).format()).to.match(/niah_single_1 384 #0.*6 workers were lost/);
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('fails with the failure of a job, and keeps what the others are at', async () => {
    const { records, ended, lines } = await coordinate();
    const waiting = 'a job has failed; waiting for 1 that are being computed';
    const id = await run();
    const slow = await serve(
      id,
      async (job) => {
        while (!lines.includes(waiting)) await sleep(20);
        return recordsOf(job);
      },
      'slow',
    );
    const failing = await serve(
      id,
      () => Promise.reject(new UserError('prunes none', { place: 'think' })),
      'failing',
    );
    const last = slow.compute((await slow.next())!);
    await failing.compute((await failing.next())!);
    await last;
    const error = await ended;
    expect((error as UserError).format()).to.equal('think  prunes none');
    expect(records).to.have.length(2);
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('takes what came in while no coordinator was there', async () => {
    const stop = new AbortController();
    const first = await coordinate(jobs, { signal: stop.signal });
    const id = await run();
    const serving = await serve(id);
    const [one, two] = [(await serving.next())!, (await serving.next())!];
    stop.abort();
    expect(((await first.ended) as Error).name).to.equal('AbortError');
    expect(first.lines.join()).to.match(/2 of the queue's jobs are still being computed/);
    await serving.compute(one);
    await serving.compute(two);
    expect(await serving.next()).to.equal(undefined);
    const second = await coordinate();
    while (second.records.length < 4) await sleep(20);
    await run();
    expect(await work(serving)).to.have.length(4);
    expect(await second.ended).to.equal(undefined);
    expect(second.records).to.have.length(12);
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('leaves nothing after an interrupt where nobody computes', async () => {
    const stop = new AbortController();
    const { ended } = await coordinate(jobs, { signal: stop.signal });
    await run();
    stop.abort();
    await ended;
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('forgets what was there where it starts over', async () => {
    const stop = new AbortController();
    const first = await coordinate(jobs, { signal: stop.signal });
    const id = await run();
    const serving = await serve(id);
    const one = (await serving.next())!;
    stop.abort();
    await first.ended;
    await serving.compute(one);
    const { ended, records } = await coordinate(jobs, { fresh: true });
    await run();
    expect(await work(serving)).to.have.length(6);
    expect(await ended).to.equal(undefined);
    expect(records).to.have.length(12);
  });

  it('keeps a result that cannot be written', async () => {
    const first = await coordinate(jobs, {}, () => {
      throw new UserError('the disk is full');
    });
    const id = await run();
    const serving = await serve(id);
    await serving.compute((await serving.next())!);
    expect(((await first.ended) as Error).message).to.equal('the disk is full');
    const second = await coordinate();
    while (second.records.length < 2) await sleep(20);
    await run();
    expect(await work(serving)).to.have.length(5);
    expect(await second.ended).to.equal(undefined);
  });

  it('fills a Redis that came back empty', async () => {
    const { records, ended, lines } = await coordinate();
    await run();
    await server!.restart();
    const id = await run();
    expect(await work(await serve(id))).to.have.length(6);
    expect(await ended).to.equal(undefined);
    expect(records).to.have.length(12);
    expect(lines.filter((line) => /is gone|is back/.test(line))).to.have.length(2);
  });

  it('does not wait for a Redis that is away, once it is interrupted', async () => {
    const stop = new AbortController();
    const { ended, lines } = await coordinate(jobs, { signal: stop.signal });
    await run();
    await server!.kill();
    while (lines.length === 0) await sleep(10);
    stop.abort();
    expect(await ended).to.be.instanceOf(Error);
    await server!.restart();
  });

  it('gives an answer to whatever waits for a Redis that is away, when it is closed', async () => {
    const lines: string[] = [];
    const connection = await connect((line) => lines.push(line));
    await server!.kill();
    while (lines.length === 0) await sleep(10);
    const waiting = connection.redis.get('key').catch((error: unknown) => error);
    connection.close();
    expect(await waiting).to.be.instanceOf(Error);
    await server!.restart();
  });

  it('takes the result of a job that a Redis has forgotten', async () => {
    const { records, ended } = await coordinate(jobs.slice(0, 1));
    const serving = await serve(await run());
    const job = (await serving.next())!;
    await server!.restart();
    await serving.compute(job);
    expect(await ended).to.equal(undefined);
    expect(records).to.have.length(2);
    expect(await keysLeft()).to.deep.equal([]);
  });

  it('lets one coordinator at a time have a run', async () => {
    const stop = new AbortController();
    const first = await coordinate(jobs, { signal: stop.signal });
    const id = await run();
    await server!.client.set(`spark-eval:coordinator:${id}`, 'elsewhere');
    const error = await (await coordinate()).ended;
    expect((error as UserError).format()).to.match(/another run of this spec.*elsewhere/);
    expect(await server!.client.llen(`${QUEUE_PREFIX}:${id}:wait`)).to.equal(6);
    stop.abort();
    await first.ended;
  });

  it('says that nobody computes, and who refuses and why', async () => {
    const { ended, lines } = await coordinate(jobs.slice(0, 1));
    const id = await run();
    await new RunBoard(server!.client, id).refuse('w\u001b[1m', 'other weights\n    here');
    while (!lines.some((line) => line.startsWith('no worker'))) await sleep(50);
    expect(lines).to.deep.equal([
      'worker w [1m does not take this run: other weights\n    here',
      'no worker is computing this run, and 1 refused it (above). Start one: spark-eval worker redis://test',
    ]);
    await work(await serve(id));
    expect(await ended).to.equal(undefined);
  });

  it('does not compute a job that is not of the spec', async () => {
    const { ended } = await coordinate();
    const id = await run();
    const queue = new Queue(id, { connection: (await connect()).redis, prefix: QUEUE_PREFIX });
    await queue.drain();
    await queue.add(
      'sample',
      { ...jobs[0], missing: [{ pipeline: 0, cell: 'f'.repeat(16) }] },
      { jobId: jobId(jobs[0]!) },
    );
    const serving = await serve(id);
    expect((await serving.compute((await serving.next())!)).result.kind).to.equal('failed');
    expect(((await ended) as UserError).message).to.match(/a job that is not of this spec/);
  });
});
