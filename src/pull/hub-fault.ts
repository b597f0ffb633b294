/**
 * Refusals of the hub and of sites, as a user can act on them: a licence to accept, a token to set, a name to mend.
 *
 * The hub answers 401 for what does not exist, too, so the words depend on what it says beside the status, and on the token.
 */
import { UserError } from '../base/errors.js';
import { hubUrl } from './hub-address.js';
import type { HttpOptions } from './http.js';

/** A repository, or a file of it. */
export interface HubPlace {
  readonly type: 'model' | 'dataset';
  /** `org/name` */
  readonly repository: string;
  readonly revision?: string | undefined;
}

/** The page of a repository, where its licence is accepted. */
export function pageOf({ type, repository }: HubPlace): string {
  return `${hubUrl()}/${type === 'dataset' ? 'datasets/' : ''}${repository}`;
}

/** What an answer that is no success means. Lets go of its body. */
export async function answerFault(
  answer: Response,
  name: string,
  place: HubPlace | undefined,
  { hubOrigin, token, log }: Pick<HttpOptions, 'hubOrigin' | 'token' | 'log'>,
): Promise<UserError> {
  await answer.body?.cancel().catch(() => undefined);
  const status = `HTTP status ${answer.status}${answer.statusText === '' ? '' : ` ${answer.statusText}`}`;
  if (place === undefined) return new UserError(`expected the file, got ${status}`, { place: name });
  const { origin, host } = new URL(answer.url);
  // The hosts that the hub sends us to know neither tokens nor licences.
  if (origin !== hubOrigin)
    return new UserError(`${host}, where the hub keeps it, answers ${status}`, { place: name });
  const reason = answer.headers.get('x-error-code') ?? '';
  const fault = hubFault({ status: answer.status, reason, origin: token?.origin }, place);
  if (fault === undefined) return new UserError(`the hub answers ${status}`, { place: name });
  if (reason !== '') log(`  the hub answers ${status} (${reason.slice(0, 80)})`);
  return fault;
}

interface Refusal {
  readonly status: number;
  /** The hub's own code: `GatedRepo`, `RepoNotFound`, … */
  readonly reason: string;
  /** Where the token came from; undefined where there is none. */
  readonly origin: string | undefined;
}

function hubFault({ status, reason, origin }: Refusal, place: HubPlace): UserError | undefined {
  const { repository, revision } = place;
  const page = pageOf(place);
  const fault = (message: string, hint: string): UserError =>
    new UserError(message, { place: repository, hint });
  const makeToken = `Make a token at ${hubUrl()}/settings/tokens and set HF_TOKEN to it`;
  const isGated = reason === 'GatedRepo';
  if ((status === 401 || status === 403) && isGated && origin === undefined) {
    return fault(
      'is gated: its files are given to users who have accepted its licence, and no token was found',
      `Accept the licence at ${page}. ${makeToken} (or log in with the hub's own tool, which keeps it in a file).`,
    );
  }
  if (status === 403 || isGated) {
    return fault(
      origin === undefined
        ? `is not given to everybody (HTTP status ${status}), and no token was found`
        : `is not given to the owner of the token in ${origin} (HTTP status ${status})`,
      `Accept the licence at ${page}, wait where access is granted by hand, and let the token read gated repositories.`,
    );
  }
  if (reason === 'RevisionNotFound')
    return fault(`has no revision "${revision ?? ''}"`, `Its branches and tags: ${page}/refs.`);
  if (reason === 'EntryNotFound') return fault('has no such file any more', `Its files: ${page}/tree/main.`);
  if (status === 401 && origin !== undefined && reason !== 'RepoNotFound') {
    return fault(
      `the token in ${origin} is not accepted: it is wrong, has expired or was withdrawn`,
      `${makeToken}; what is open to all needs none.`,
    );
  }
  if (status === 401 || status === 404) {
    return fault(
      'is not on the hub, or is private',
      origin === undefined
        ? `Is the name right? See ${page}. For a private one: ${makeToken}.`
        : `Is the name right? See ${page}. May the owner of the token in ${origin} read it?`,
    );
  }
  return undefined;
}
