/**
 * Requests to the hub and to sites: redirects, the token, waits, tries.
 *
 * Redirects are followed here and not by `fetch`, so that the token goes to the hub and to no host that it sends us to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import type { HubToken } from './hub-token.js';

/** Milliseconds until an answer must have begun. */
const ANSWER_TIMEOUT_MS = 30_000;
const MOST_REDIRECTS = 8;
/** Tries of a request that the server could not answer now. */
const MOST_TRIES = 5;
/** Longest wait that a server may ask for, milliseconds. */
const LONGEST_WAIT_MS = 300_000;
const SHORTEST_BACKOFF_MS = 500;
/** Statuses that another try may mend. */
const PASSING = [408, 429, 500, 502, 503, 504];
/** Nobody is there: another try at once mends nothing. */
const ABSENT = ['ENOTFOUND', 'ECONNREFUSED', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH'];

export interface HttpOptions {
  /** Origin of the hub, which alone is given the token. */
  readonly hubOrigin: string;
  readonly token: HubToken | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets a line where it is waited. */
  readonly log: (line: string) => void;
  /** For tests: how it is waited. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined;
}

export class Http {
  constructor(readonly options: HttpOptions) {}

  /**
   * The answer behind all redirects; its body is still to be read. Statuses that pass are tried again.
   *
   * @throws UserError where a server keeps refusing; whatever `fetch` throws where nobody answers
   */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    for (let tried = 1; ; tried++) {
      const last = tried === MOST_TRIES;
      const answer = await this.once(url, headers).catch((error: unknown) => {
        if (last || this.isFinal(error)) throw error;
        return undefined;
      });
      if (answer === undefined) {
        await this.pause(backoff(tried));
        continue;
      }
      if (!PASSING.includes(answer.status)) return answer;
      await drop(answer);
      const status = `HTTP status ${answer.status}${answer.statusText === '' ? '' : ` ${answer.statusText}`}`;
      const asked = retryAfter(answer.headers.get('retry-after'));
      if (last || (asked ?? 0) > LONGEST_WAIT_MS) throw refusal(url, status, tried, asked);
      const ms = asked ?? backoff(tried);
      this.options.log(`  ${new URL(url).host} answers ${status}: waiting ${Math.ceil(ms / 1000)} s`);
      await this.pause(ms);
    }
  }

  /** @throws the signal's reason where it is aborted meanwhile */
  async pause(ms: number): Promise<void> {
    const { signal, wait } = this.options;
    signal?.throwIfAborted();
    if (wait === undefined) await sleep(ms, undefined, signal === undefined ? {} : { signal });
    else await wait(ms);
  }

  /** Whether an error is not one of a connection that may hold the next time. */
  private isFinal(error: unknown): boolean {
    return (
      error instanceof UserError ||
      this.options.signal?.aborted === true ||
      ABSENT.includes(String((error as { cause?: { code?: unknown } }).cause?.code))
    );
  }

  private async once(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { hubOrigin, token, signal } = this.options;
    let at = new URL(url);
    let ours = at.origin === hubOrigin;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const sent = ours && token !== undefined ? { authorization: `Bearer ${token.value}` } : {};
      const answer = await this.answerOf(at, { ...headers, ...sent });
      const to = answer.status >= 300 && answer.status < 400 ? answer.headers.get('location') : null;
      if (to === null) return answer;
      await drop(answer);
      at = redirected(at, to, url);
      // Once a redirect has left the hub, what comes back to it is of somebody else's making.
      ours &&= at.origin === hubOrigin;
      signal?.throwIfAborted();
    }
    throw new UserError(`is redirected more than ${MOST_REDIRECTS} times`, { place: url });
  }

  private async answerOf(url: URL, headers: Readonly<Record<string, string>>): Promise<Response> {
    const { signal } = this.options;
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
    }, ANSWER_TIMEOUT_MS);
    try {
      return await fetch(url, {
        headers,
        redirect: 'manual',
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Milliseconds before the next try, a little more each time. */
export function backoff(tried: number): number {
  return SHORTEST_BACKOFF_MS * 2 ** (tried - 1);
}

/** Why a request failed, in words: the message, and the code of what lies behind it. */
export function requestFault(cause: unknown): string {
  const error = cause as Error & { cause?: { code?: unknown } };
  const code = typeof error.cause?.code === 'string' ? ` (${error.cause.code})` : '';
  return `${error.message}${code}`;
}

/** Lets go of a body that nobody reads. */
async function drop(answer: Response): Promise<void> {
  await answer.body?.cancel().catch(() => undefined);
}

/** Milliseconds: a header of seconds or of a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(header.trim()) ? Number(header) : undefined;
  const ms = seconds === undefined ? Date.parse(header) - Date.now() : 1000 * seconds;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function refusal(url: string, status: string, tried: number, asked: number | undefined): UserError {
  const late = asked !== undefined && asked > LONGEST_WAIT_MS;
  const message = late
    ? `${status}: the server asks to wait ${Math.ceil(asked / 1000)} s`
    : `${status}, ${tried} times`;
  return new UserError(message, {
    place: url,
    hint: 'The server takes no more requests for now: run the same command again later; what has arrived is kept.',
  });
}

function redirected(from: URL, to: string, first: string): URL {
  const url = URL.canParse(to, from.href) ? new URL(to, from) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url;
  throw new UserError('is redirected to something that is no web address', { place: first });
}
