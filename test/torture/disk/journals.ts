/**
 * Damage to a journal: torn, duplicated and foreign lines, anywhere.
 *
 * A run mends some damage by itself (a torn end, the same record twice) and must refuse the rest with the line's number;
 * then what the refusal advises is done.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../src/base/random.js';
import { sparkEval } from '../../e2e/support.js';
import { journalLines } from '../kill/results.js';
import { caseFolder, errorFaults, finishFaults, runInto, type Bench } from './case.js';

/** Lines (without their newline) after some damage. */
interface Damage {
  readonly lines: readonly string[];
  /** What follows the last newline. */
  readonly rest?: string;
  /** Index of the line that must be refused; none where the run mends it. */
  readonly refused?: number;
}

const KINDS: Readonly<Record<string, (lines: readonly string[], random: Random) => Damage>> = {
  'a torn end': (lines, random) => {
    const last = lines.at(-1)!;
    return { lines: lines.slice(0, -1), rest: last.slice(0, random.below(last.length)) };
  },
  'an end of zeros': (lines, random) => ({ lines, rest: '\0'.repeat(1 + random.below(5000)) }),
  'a torn line in the middle': (lines, random) => {
    const at = random.below(lines.length - 1);
    const line = lines[at]!;
    const torn = line.slice(0, random.below(line.length)) + lines[at + 1]!;
    // A line that was torn at its very beginning is not there at all, and is computed again.
    const whole = torn === lines[at + 1];
    return { lines: lines.toSpliced(at, 2, torn), ...(whole ? {} : { refused: at }) };
  },
  'a line without its middle': (lines, random) => {
    const at = random.below(lines.length);
    const line = lines[at]!;
    const from = 1 + random.below(line.length - 2);
    return { lines: lines.with(at, line.slice(0, from) + line.slice(-1)), refused: at };
  },
  'a line of zeros': (lines, random) => {
    const at = random.below(lines.length);
    return { lines: lines.with(at, '\0'.repeat(lines[at]!.length)), refused: at };
  },
  'an empty line': (lines, random) => {
    const at = random.below(lines.length);
    return { lines: lines.toSpliced(at, 0, ''), refused: at };
  },
  'a line of another version': (lines, random) => {
    const at = random.below(lines.length);
    return { lines: lines.with(at, lines[at]!.replace('"format":1', '"format":2')), refused: at };
  },
  'a line twice': (lines, random) => {
    const at = random.below(lines.length);
    return { lines: lines.toSpliced(random.below(lines.length + 1), 0, lines[at]!) };
  },
  'all lines twice': (lines) => ({ lines: [...lines, ...lines] }),
  'lines in another order': (lines, random) => ({ lines: random.shuffle(lines) }),
};

export const JOURNAL_DAMAGE: readonly string[] = Object.keys(KINDS);

/** Damages a finished journal and runs on; faults in words. */
export function damageJournal(bench: Bench, kind: string, random: Random): string[] {
  const out = join(caseFolder(bench, 'journal'), 'out');
  rmSync(out, { recursive: true, force: true });
  cpSync(join(bench.folder, 'reference'), out, { recursive: true });
  const path = join(out, 'journal.jsonl');
  const whole = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const { lines, rest = '', refused } = KINDS[kind]!(whole, random);
  const write = (kept: readonly string[]): void => {
    writeFileSync(path, kept.map((line) => `${line}\n`).join('') + rest);
  };
  write(lines);
  const faults: string[] = [];
  if (refused !== undefined) {
    const message = new RegExp(
      `journal\\.jsonl:${refused + 1} {2}not a result record: .*\\n {2}.*Remove that line`,
    );
    faults.push(...errorFaults(sparkEval(runInto(bench, out)), message));
    const after = readFileSync(path, 'utf8');
    if (after !== lines.map((line) => `${line}\n`).join('') + rest)
      faults.push('the refused journal was changed');
    write(lines.toSpliced(refused, 1));
  }
  const kept = lines.filter((line, index) => index !== refused && whole.includes(line));
  const before = journalLines(join(bench.folder, 'reference')).filter(([, line]) => kept.includes(line));
  const repeated = kept.length - new Set(kept).size;
  return [...faults, ...finishFaults(bench, out, before, repeated)].map((fault) => `${kind}: ${fault}`);
}
