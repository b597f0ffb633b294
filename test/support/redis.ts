/**
 * A Redis of a test's own: on a free port of this machine, without files, gone afterwards.
 *
 * A test that finds none installed is skipped and says so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';

export interface TestRedis {
  readonly port: number;
  /** As long as it runs. */
  readonly client: Redis;
  /** Starts another one on the same port, where the first was stopped; it knows nothing of what was there. */
  restart(): Promise<void>;
  /** Leaves nobody there. */
  kill: () => Promise<void>;
  stop: () => Promise<void>;
}

export const REDIS_INSTALLED = spawnSync('redis-server', ['--version']).status === 0;

/** Skips a suite where there is no redis-server; for `before`. */
export function needsRedis(suite: Mocha.Context): void {
  if (REDIS_INSTALLED) return;
  console.log('      skipped: redis-server is not installed (apt-get install redis-server)');
  suite.skip();
}

/**
 * @param args further arguments of redis-server; `PORT` is replaced by the port
 * @param connect how the test's own client connects, beside the port
 */
export async function startRedis(
  args: readonly string[] = ['--port', 'PORT'],
  connect: { readonly password?: string; readonly tls?: { readonly ca: string } } = {},
): Promise<TestRedis> {
  const port = await freePort();
  const options = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--dir', tmpdir(), ...args];
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn(
      'redis-server',
      options.map((arg) => (arg === 'PORT' ? String(port) : arg)),
      { stdio: 'ignore' },
    );
    while ((await client.ping().catch(() => undefined)) === undefined) {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
      await sleep(20);
    }
  };
  const client = new Redis({
    port,
    host: '127.0.0.1',
    maxRetriesPerRequest: 0,
    retryStrategy: () => 50,
    ...connect,
  });
  client.on('error', () => undefined);
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    port,
    client,
    restart: async () => {
      await kill();
      await start();
    },
    kill,
    stop: async () => {
      client.disconnect();
      await kill();
    },
  };
}
