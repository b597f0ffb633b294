/**
 * What a suite of `npm run torture` is given and what it gives back.
 *
 * A row is a kind of hardship, a fault is whatever should not have come of it.
 */
import type { Random } from '../../src/base/random.js';

export interface Context {
  readonly seed: number;
  /** Draws that depend on the seed and the suite's name alone. */
  readonly random: Random;
  /** An empty folder of the suite's own; it goes when the suite has ended. */
  readonly folder: string;
  /** Where to put what shows a fault; it stays. Made when first written to: `mkdirSync(kept, { recursive: true })`. */
  readonly kept: string;
  /** True when the suite's time is over: no further case begins. A suite that has done its full count ends before. */
  over(): boolean;
  /** One line of progress. */
  log(line: string): void;
}

export interface Row {
  readonly what: string;
  readonly cases: number;
  /** In words, with the place of what was kept. */
  readonly faults: readonly string[];
  /** Further figures by name, in the order in which they are shown: `{ 'peak RSS, MiB': 210 }`. */
  readonly figures?: Readonly<Record<string, number | string>>;
}

export interface Suite {
  readonly name: string;
  /** Throws Skip where this machine cannot run it; a Row's `what` may also say that a part was left out. */
  run(context: Context): Promise<readonly Row[]>;
}

/** Why a suite cannot be run here. */
export class Skip extends Error {
  override readonly name = 'Skip';
}
