/**
 * A connection to Redis that survives its restarts.
 *
 * The first connection must succeed, or says why not; a later loss is waited out and told once.
 */
import { Redis } from 'ioredis';
import { UserError } from '../base/errors.js';
import { REDIS_PASSWORD, type RedisAddress } from './address.js';

const CONNECT_MS = 10_000;
/** Between two attempts to find a lost Redis again, milliseconds. */
const RETRY_MS = 1000;

export interface Connection {
  readonly redis: Redis;
  /** Ends at once, or within a second where Redis is away; what waits for an answer is rejected. */
  readonly close: () => void;
}

/** @throws UserError where Redis cannot be reached or refuses us */
export async function connectRedis(
  { options, text }: RedisAddress,
  log: (line: string) => void,
): Promise<Connection> {
  let state: 'opening' | 'open' | 'lost' | 'closed' = 'opening';
  let fault = '';
  const redis = new Redis({
    ...options,
    family: 0,
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    retryStrategy: () => (state === 'opening' || state === 'closed' ? null : RETRY_MS),
  });
  redis.on('error', (error: Error) => {
    if (fault === '' || state !== 'opening') fault = oneLine(error);
  });
  redis.on('close', () => {
    if (state !== 'open') return;
    state = 'lost';
    log(`Redis at ${text} is gone; waiting for it. Nothing is lost`);
  });
  redis.on('ready', () => {
    if (state !== 'lost') return;
    state = 'open';
    log(`Redis at ${text} is back`);
  });
  const close = (): void => {
    state = 'closed';
    // Between two attempts, `disconnect` would leave what waits without an answer for ever: the next attempt is the last.
    if (redis.status !== 'reconnecting') redis.disconnect();
    else
      redis.once('connect', () => {
        redis.disconnect();
      });
  };
  try {
    await redis.connect();
    if (fault !== '') throw new Error(fault);
  } catch (error) {
    close();
    throw new UserError(`cannot use this Redis: ${fault || oneLine(error as Error)}`, {
      place: text,
      hint: /NOAUTH|WRONGPASS|AUTH|NOPERM/.test(fault)
        ? `User and password stand in the URL, or in the environment: ${REDIS_PASSWORD}.`
        : 'Is it running there, and reachable from here? (redis-cli ping)',
    });
  }
  state = 'open';
  return { redis, close };
}

/** What Redis answers to a command that it does not do, as a UserError; other errors are given back as they are. */
export function redisError(error: unknown, { text }: RedisAddress): unknown {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return error;
  return new UserError(`Redis refuses a command: ${error.message}`, {
    place: text,
    hint: 'What is finished is kept. Run the same command again when that is mended.',
    cause: error,
  });
}

/** Several addresses were tried: one message for all of them. */
function oneLine(error: Error): string {
  const { errors } = error as { errors?: unknown };
  const texts = Array.isArray(errors) ? errors.map((each: Error) => each.message) : [error.message];
  return texts.join(', ') || error.name;
}
