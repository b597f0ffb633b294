/** Which hub is asked: `HF_ENDPOINT` names a mirror. */
import { HUB_URL } from '@huggingface/hub';
import { UserError } from '../base/errors.js';

/** Without a slash at its end. Throws UserError where `HF_ENDPOINT` is no address. */
export function hubUrl(): string {
  const endpoint = (process.env['HF_ENDPOINT'] ?? '').trim().replace(/\/+$/, '');
  if (endpoint === '') return HUB_URL;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const problem =
    url === undefined || !/^https?:$/.test(url.protocol)
      ? `got ${JSON.stringify(endpoint)}`
      : url.username !== '' || url.password !== ''
        ? 'got one with a user name or a password in it'
        : url.search !== '' || url.hash !== ''
          ? 'got one with a query'
          : undefined;
  if (problem === undefined) return endpoint;
  throw new UserError(`expected the address of a hub, http://… or https://…, ${problem}`, {
    place: 'HF_ENDPOINT',
    exitCode: 2,
  });
}
