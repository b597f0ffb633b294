/**
 * Workers of a queue, as who computes a run.
 *
 * Decides what is looked at before anything is put into the queue: the Redis, the engine's versions, that the spec is what
 * the workers will read.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import type { Job } from '../runner/job.js';
import type { JobPool, PoolRun } from '../runner/pool.js';
import type { EngineFacts } from '../runner/engine-facts.js';
import { WorkerRunner } from '../runner/workers.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { connectRedis, redisError, type Connection } from './connection.js';
import { Coordinator, type CoordinatorOptions } from './coordinator.js';
import { resolveSource } from './spec-source.js';

export interface QueuePoolOptions extends CoordinatorOptions {
  readonly engine: EngineName | 'auto';
}

/** Workers that read the same Redis. */
export class QueuePool implements JobPool {
  private spec: ResolvedSpec | undefined;
  private connection: Connection | undefined;

  constructor(private readonly options: QueuePoolOptions) {}

  /** Asks a process of its own what the engine is, which then gives back the memory, or the GPU. */
  async open(spec: ResolvedSpec): Promise<EngineFacts> {
    const { address, source, engine, progress, signal } = this.options;
    if (specHash(await resolveSource(source, spec.registry)) !== specHash(spec)) {
      throw new UserError('the spec changed while it was read', {
        place: source.file,
        hint: 'Run it again.',
      });
    }
    this.spec = spec;
    this.connection = await connectRedis(address, (line) => {
      progress.log(line);
    });
    const runner = new WorkerRunner({ spec, engine, progress, signal });
    try {
      return await runner.engine();
    } finally {
      runner.close();
    }
  }

  async run(jobs: readonly Job[], context: PoolRun): Promise<void> {
    try {
      await new Coordinator(this.spec!, this.options, this.connection!, jobs, context).run();
    } catch (error) {
      throw redisError(error, this.options.address);
    }
  }

  /** Ends the connection, whatever has become of the run. */
  close(): void {
    this.connection?.close();
  }
}
