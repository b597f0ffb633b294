/**
 * What a benchmark is: a few measurements, each against a limit.
 *
 * Repeated measurements become one number, the median.
 */

/** One target, measured. */
export interface Target {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  /** The side of the limit on which `value` must be. */
  readonly bound: 'at most' | 'at least';
}

export interface BenchContext {
  /** Repetitions whose median counts. */
  readonly repeat: number;
  readonly log: (line: string) => void;
  /** A built checkout of another version, to compare with. */
  readonly against?: string | undefined;
}

export interface Bench {
  /** For `--only`. */
  readonly name: string;
  /** Throws `Skip` where something that it needs is absent. */
  run(context: BenchContext): Promise<readonly Target[]>;
}

/** What a benchmark needs is not on this machine. */
export class Skip extends Error {}

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
