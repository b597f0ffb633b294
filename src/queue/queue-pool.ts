/**
 * Workers of a queue, as who computes a run.
 *
 * The Redis, the engine's versions, and that the spec is what the workers will read, are looked at before anything is put
 * into the queue.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { JobPool } from '../runner/pool.js';
import { WorkerRunner } from '../runner/workers.js';
import { connectRedis, redisError } from './connection.js';
import { Coordinator, type CoordinatorOptions } from './coordinator.js';
import { resolveSource } from './spec-source.js';

export interface QueuePoolOptions extends CoordinatorOptions {
  readonly engine: EngineName | 'auto';
}

/**
 * Workers that read the same Redis. A process of its own is asked what the engine is, which then gives back the memory, or
 * the GPU.
 */
export async function openQueuePool(spec: ResolvedSpec, options: QueuePoolOptions): Promise<JobPool> {
  const { address, source, progress, signal } = options;
  if (specHash(await resolveSource(source, spec.registry)) !== specHash(spec)) {
    throw new UserError('the spec changed while it was read', {
      place: source.file,
      hint: 'Run it again.',
    });
  }
  const connection = await connectRedis(address, (line) => {
    progress.log(line);
  });
  const runner = new WorkerRunner({ spec, engine: options.engine, progress, signal });
  try {
    return {
      engine: await runner.engine(),
      run: async (jobs, context) => {
        try {
          await new Coordinator(spec, options, connection, jobs, context).run();
        } catch (error) {
          throw redisError(error, address);
        }
      },
      close: connection.close,
    };
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    runner.close();
  }
}
