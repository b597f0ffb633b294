/**
 * One hardship of a disk: what a run on it says, what it leaves, and that it finishes once the hardship is over.
 *
 * A clear error is told from any other here.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { sparkEval, type Outcome } from '../../e2e/support.js';
import { folderFaults, journalLines, RECORDS, reference, RESULT_FILES, writeSpec } from '../kill/results.js';
import type { Finished } from '../kill/victim.js';

/** A spec, its undisturbed result, and a folder for each case. */
export interface Bench {
  readonly folder: string;
  readonly spec: string;
  readonly accuracy: string;
}

/** Faults, in words; a string says why the case cannot be made here. */
export type DiskCase = (bench: Bench) => Promise<string[] | string> | string[] | string;

/** Makes the bench of a folder: one undisturbed run. */
export function makeBench(folder: string): Bench {
  const spec = writeSpec(folder);
  return { folder, spec, accuracy: reference(folder, spec) };
}

/** The arguments of a run of the bench's spec into `out`. */
export function runInto({ spec }: Bench, out: string): string[] {
  return ['run', spec, '--engine', 'wasm', '--progress', 'none', '--set', `output=${out}`];
}

/** An empty folder of its own for a case. */
export function caseFolder({ folder }: Bench, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** What is wrong with how a command failed: exit code 1 or 2, the place, what was expected or found, what helps. */
export function errorFaults({ status, stderr }: Outcome, message: RegExp): string[] {
  const faults: string[] = [];
  if (status !== 1 && status !== 2) faults.push(`expected exit code 1 or 2, got ${status}`);
  if (!message.test(stderr)) faults.push(`expected ${String(message)}`);
  if (/^\s+at .*:\d+/m.test(stderr)) faults.push('a stack trace');
  if (/fault of spark-eval/.test(stderr)) faults.push('a fault of the program itself');
  return faults.map((fault) => `${fault}: ${stderr.trim()}`);
}

/**
 * Runs to the end and looks at everything.
 *
 * @param before what was finished, and must still be there
 * @param repeated lines of the journal that are there once more, and stay
 */
export function finishFaults(bench: Bench, out: string, before: readonly Finished[], repeated = 0): string[] {
  const { status, stderr } = sparkEval(runInto(bench, out));
  if (status !== 0) return [`does not finish: exit code ${status}: ${stderr.trim()}`];
  const found = new Map(journalLines(out));
  const lost = before.filter(([name, line]) => found.get(name) !== line).length;
  return [
    ...(lost > 0 ? [`${lost} finished records were lost`] : []),
    ...folderFaults(out, { records: RECORDS + repeated, files: RESULT_FILES, accuracy: bench.accuracy }),
  ];
}

/** The records of a folder that may not be there. */
export function recordsIn(out: string): Finished[] {
  return existsSync(out) ? journalLines(out) : [];
}
