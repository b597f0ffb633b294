/**
 * What may come of a broken file: it is read, or one UserError says what is wrong and where.
 *
 * What else is a fault stands here, too.
 */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../../../src/base/errors.js';
import type { Kind } from './kind.js';

/** Nobody reads longer messages. */
const MOST_LINES = 100;
const LONGEST_LINE = 1000;
/** Any thread of the process may use it up; the runtime itself is in it. */
export const MAX_RSS_BYTES = 512 * 2 ** 20;
/** Of the processor: a busy machine makes nothing hang. */
export const MAX_CPU_MS = 5000;

export type Outcome = 'read' | 'refused' | { readonly fault: string };

/** Reads a case as `kind` does. Never throws. */
export async function judge(kind: Kind, folder: string, sound: boolean): Promise<Outcome> {
  const open = openFiles();
  let outcome: Outcome;
  try {
    await kind.read(folder);
    outcome = 'read';
  } catch (error) {
    outcome = judgeError(error, folder);
    if (sound && outcome === 'refused')
      outcome = { fault: `sound files are refused: ${(error as UserError).format()}` };
  }
  const polluted = Object.keys(Object.prototype);
  if (polluted.length > 0) outcome = { fault: `every object now has ${polluted.join(', ')}` };
  if (outcome === 'read' || outcome === 'refused') {
    const left = await leftOpen(open);
    if (left > 0) outcome = { fault: `${left} files are left open` };
  }
  return outcome;
}

function judgeError(error: unknown, folder: string): Outcome {
  if (!(error instanceof UserError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { fault: `no UserError: ${stack.split('\n').slice(0, 6).join(' | ').slice(0, 1000)}` };
  }
  const text = error.format();
  // A scorer or a generator knows its task, no file.
  if (!text.includes(folder) && !/^[\w-]+\/[\w-]+[:,] /.test(text))
    return { fault: `no place: ${text.slice(0, 300)}` };
  const lines = text.split('\n');
  if (lines.length > MOST_LINES || lines.some((line) => line.length > LONGEST_LINE))
    return { fault: `a message of ${text.length} characters: ${text.slice(0, 300)}` };
  // eslint-disable-next-line no-control-regex -- what a terminal takes for a command
  if (/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(text))
    return { fault: `control characters: ${JSON.stringify(text.slice(0, 300))}` };
  return 'refused';
}

const DESCRIPTORS = '/proc/self/fd';

/** Descriptors and what they are of; none where the system does not tell. Pipes do not count: the compiler of the tests has some. */
function openFiles(): Set<string> {
  if (!existsSync(DESCRIPTORS)) return new Set();
  return new Set(readdirSync(DESCRIPTORS).flatMap(fileOf));
}

function fileOf(descriptor: string): string[] {
  try {
    const target = readlinkSync(join(DESCRIPTORS, descriptor));
    return isAbsolute(target) ? [`${descriptor} ${target}`] : [];
  } catch {
    return []; // the one that the folder was listed with
  }
}

/** Streams close a moment after they have ended. */
async function leftOpen(before: ReadonlySet<string>): Promise<number> {
  const more = (): number => [...openFiles()].filter((file) => !before.has(file)).length;
  let left = more();
  for (let wait = 0; left > 0 && wait < 10; wait++) {
    await new Promise((done) => setTimeout(done, 2 ** wait));
    left = more();
  }
  return left;
}
