/**
 * The address of a Redis, and the login for it.
 *
 * User and password may come from the environment, and neither is ever shown.
 */
import { UserError } from '../base/errors.js';

export interface RedisAddress {
  /** What the Redis client is given. */
  readonly options: {
    readonly host: string;
    readonly port: number;
    readonly db: number;
    readonly username?: string;
    readonly password?: string;
    /** Checked against the certificates that Node trusts. */
    readonly tls?: Record<string, never>;
  };
  /** `redis://host:port/db`: as it is shown. */
  readonly text: string;
}

const FORM = 'redis://[[user]:password@]host[:port][/database], or rediss:// for TLS';

/** Environment variables that hold what the URL leaves out. */
export const REDIS_USERNAME = 'SPARK_EVAL_REDIS_USERNAME';
export const REDIS_PASSWORD = 'SPARK_EVAL_REDIS_PASSWORD';

/** Reads a URL. Throws UserError (exit code 2), which does not repeat it: it may hold a password. */
export function parseRedisUrl(text: string, env: NodeJS.ProcessEnv = process.env): RedisAddress {
  const refuse = (found: string): never => {
    throw new UserError(`expected ${FORM}; ${found}`, {
      place: 'the URL of Redis',
      hint: `A password may also stand in ${REDIS_PASSWORD}, a user in ${REDIS_USERNAME}.`,
      exitCode: 2,
    });
  };
  if (!URL.canParse(text)) return refuse('this is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return refuse(`got ${url.protocol}//`);
  if (url.hostname === '') return refuse('it names no host');
  if (url.search !== '' || url.hash !== '') return refuse('it has something behind the database');
  const database = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1];
  if (database === undefined) return refuse('the database is not a number');
  const username = decode(url.username) ?? refuse('the user is not percent-encoded');
  const password = decode(url.password) ?? refuse('the password is not percent-encoded');
  const [host, port, db] = [
    url.hostname.replace(/^\[(.*)\]$/, '$1'),
    Number(url.port || 6379),
    Number(database),
  ];
  return {
    options: {
      host,
      port,
      db,
      ...named('username', username || env[REDIS_USERNAME]),
      ...named('password', password || env[REDIS_PASSWORD]),
      ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    },
    text: `${url.protocol}//${url.hostname}:${port}/${db}`,
  };
}

/** The text with user and password taken out of every Redis URL in it. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/(rediss?:\/\/)[^\s/]*@/gi, '$1');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function named(name: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === '' ? {} : { [name]: value };
}
