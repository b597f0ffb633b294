/**
 * The user's token for the hub, from where the hub's own tools keep it.
 *
 * It is sent to the hub alone and stands in no message: errors say where it was found, never what it is.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFault } from '../base/disk.js';
import { UserError } from '../base/errors.js';

export interface HubToken {
  readonly value: string;
  /** A variable's name, or a file's path. */
  readonly origin: string;
}

const VARIABLES = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'];
/** Characters; the hub's have 37. */
const LONGEST = 4096;

/**
 * Of `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, or the file that logging in leaves (`HF_TOKEN_PATH`, else `token` in `HF_HOME`,
 * which is `huggingface` in the user's cache folder); undefined where there is none.
 *
 * @throws UserError where what is there cannot be a token, or the file cannot be read
 */
export function findToken(environment: NodeJS.ProcessEnv = process.env): HubToken | undefined {
  for (const name of VARIABLES) {
    const value = environment[name]?.trim() ?? '';
    if (value !== '') return checked({ value, origin: name });
  }
  const path = tokenPath(environment);
  const value = readToken(path);
  return value === '' ? undefined : checked({ value, origin: path });
}

/** Where the file of the token would be. */
export function tokenPath(environment: NodeJS.ProcessEnv = process.env): string {
  const given = (name: string): string | undefined => {
    const value = environment[name] ?? '';
    return value === '' ? undefined : value.replace(/^~(?=$|[/\\])/, () => homedir());
  };
  const home = given('HF_HOME') ?? join(given('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
  return given('HF_TOKEN_PATH') ?? join(home, 'token');
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new UserError(`the token of the hub cannot be read: ${readFault(cause)}`, {
      place: path,
      hint: 'HF_TOKEN holds the token itself, HF_TOKEN_PATH names another file.',
      cause,
    });
  }
}

/** A header takes no other characters, and its error would print the token. */
function checked(token: HubToken): HubToken {
  if (/^[\x21-\x7e]+$/.test(token.value) && token.value.length <= LONGEST) return token;
  throw new UserError('expected a token of the hub, one word of letters and digits, got something else', {
    place: token.origin,
    exitCode: 2,
  });
}
