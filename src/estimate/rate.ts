/**
 * How fast a machine is: products of large matrices, and reading a matrix once.
 *
 * A few tenths of a second; other work on the machine shows in the numbers.
 */
import type { Engine } from '../engine/types.js';

export interface Rate {
  /** Operations per second of large matrix products. */
  readonly operationsPerSecond: number;
  /** Bytes of weights per second where few rows are multiplied. */
  readonly bytesPerSecond: number;
}

const WIDTH = 2048;
const ROWS = 256;
const SECONDS = 0.15;

/** Measures an engine; the best of several runs each. */
export function measureRate({ ops }: Engine): Rate {
  const matrix = (rows: number): ReturnType<typeof ops.fromHost> =>
    ops.fromHost(new Float32Array(rows * WIDTH).fill(0.5), [rows, WIDTH]);
  const [weights, many, few] = [matrix(WIDTH), matrix(ROWS), matrix(1)];
  const secondsOf = (rows: typeof many): number =>
    best(() => {
      const product = ops.matMul(rows, weights);
      ops.toHost(product);
      ops.dispose(product);
    });
  const rate = {
    operationsPerSecond: (2 * ROWS * WIDTH * WIDTH) / secondsOf(many),
    bytesPerSecond: (4 * WIDTH * WIDTH) / secondsOf(few),
  };
  ops.dispose(weights, many, few);
  return rate;
}

function best(run: () => void): number {
  let least = Infinity;
  const started = performance.now();
  do {
    const before = performance.now();
    run();
    least = Math.min(least, performance.now() - before);
  } while (performance.now() - started < 1000 * SECONDS);
  return least / 1000;
}
