/**
 * What a benchmark is: a few measurements, each against a limit.
 *
 * Repeated measurements become one number, the median.
 */

import type { Comparison } from './against.js';

/** One target, measured. */
export interface Target {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  /** The side of the limit on which `value` must be. */
  readonly bound: 'at most' | 'at least';
}

/** One that cannot be measured here, and why. */
export interface SkippedTarget {
  readonly name: string;
  readonly skipped: string;
}

export interface BenchContext {
  /** Repetitions whose median counts. */
  readonly repeat: number;
  readonly log: (line: string) => void;
  /** What this build and another one were measured to take; measured when it is first asked for. Rejects with `Skip`. */
  readonly compared: () => Promise<Comparison>;
  /** A built checkout of another version, to compare with. */
  readonly against?: string | undefined;
}

export interface Bench {
  /** For `--only`. */
  readonly name: string;
  /** Throws `Skip` where something that it needs is absent. */
  run(context: BenchContext): Promise<readonly (Target | SkippedTarget)[]>;
  /** True: runs only where it is named. */
  readonly onlyAsked?: boolean;
}

/** What a benchmark needs is not on this machine. */
export class Skip extends Error {}

/** What `measure` gives, or its targets by name where what it needs is absent. */
export async function orSkipped(
  names: readonly string[],
  measure: () => Promise<readonly Target[]>,
): Promise<readonly (Target | SkippedTarget)[]> {
  try {
    return await measure();
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    return names.map((name) => ({ name, skipped: error.message }));
  }
}

export function holds({ value, limit, bound }: Target): boolean {
  return bound === 'at most' ? value <= limit : value >= limit;
}

/** The middle one; the lower of the two in the middle of an even number. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}

/** Seconds that `f` takes. */
export async function seconds(f: () => unknown): Promise<number> {
  const started = performance.now();
  await f();
  return (performance.now() - started) / 1000;
}
