/**
 * Untrusted files: specs, models, tokenizers, data and results, broken in every way, a hundred thousand times.
 *
 * One case of each kind comes in turn. Each case must end in a clear error or a correct read, in 5 seconds of the
 * processor and 512 MiB, and change nothing outside its folder.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from './file/kinds.js';
import { Reader } from './file/pool.js';
import { Tally } from './file/tally.js';
import type { Context, Row, Suite } from './types.js';

/** The long form, all kinds together. */
const FULL_COUNT = 100_000;
const PROCESSES = 2;
const LOG_MS = 15_000;

/** @param most number of cases */
export function filesSuite(most: number): Suite {
  return { name: 'files', run: (context) => runCases(context, most) };
}

export const files = filesSuite(FULL_COUNT);

async function runCases(context: Context, most: number): Promise<Row[]> {
  const kinds = KINDS.map(({ name }) => ({ name, tally: new Tally(name) }));
  const log = occasionally((line) => {
    context.log(line);
  });
  let next = 0;
  const work = async (room: string): Promise<void> => {
    const reader = new Reader();
    try {
      for (let at = next++; at < most && !context.over(); at = next++) {
        const { name, tally } = kinds[at % kinds.length]!;
        const number = Math.floor(at / kinds.length);
        const entry = `${name.replace(/\W+/g, '-')}-${context.seed}-${number}`;
        const folder = join(room, entry);
        const reply = await reader.read({ kind: name, seed: context.seed, number, folder });
        const fault = tally.add(reply, folder, join(context.kept, entry));
        if (fault !== undefined) context.log(`FAULT ${fault}`);
        rmSync(room, { recursive: true, force: true });
        log(`${at + 1} cases`);
      }
    } finally {
      await reader.close();
    }
  };
  await Promise.all(
    Array.from({ length: PROCESSES }, (_, index) => work(join(context.folder, String(index)))),
  );
  return kinds.map(({ tally }) => tally.row());
}

/** Passes a line on when the last one is long ago. */
function occasionally(log: (line: string) => void): (line: string) => void {
  let told = performance.now();
  return (line) => {
    if (performance.now() - told < LOG_MS) return;
    told = performance.now();
    log(line);
  };
}
