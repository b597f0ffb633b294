/**
 * How fast a machine is: products of large matrices on the engine, and what decoding does on the threads of the kernels.
 *
 * Less than a second; other work on the machine shows in the numbers.
 */
import { openCrew } from '../kernels/crew.js';
import type { Engine } from '../engine/types.js';

export interface Rate {
  /** Operations per second of large matrix products on the engine. */
  readonly operationsPerSecond: number;
  /** The same of decoding: products of many rows with weights, attention. */
  readonly decodeOperationsPerSecond: number;
  /** Bytes of weights per second where a single row is multiplied. */
  readonly bytesPerSecond: number;
}

const WIDTH = 2048;
const ROWS = 256;
/** Rows that decode together. */
const MANY = 32;
const SECONDS = 0.15;

/** Measures an engine and the kernels; the best of several runs each. */
export async function measureRate(engine: Engine): Promise<Rate> {
  return { operationsPerSecond: prefillRate(engine), ...(await decodeRates(engine.threads)) };
}

function prefillRate({ ops }: Engine): number {
  const matrix = (rows: number): ReturnType<typeof ops.fromHost> =>
    ops.fromHost(new Float32Array(rows * WIDTH).fill(0.5), [rows, WIDTH]);
  const [weights, rows] = [matrix(WIDTH), matrix(ROWS)];
  const seconds = best(() => {
    const product = ops.matMul(rows, weights);
    ops.toHost(product);
    ops.dispose(product);
  });
  ops.dispose(weights, rows);
  return (2 * ROWS * WIDTH * WIDTH) / seconds;
}

async function decodeRates(
  threads: number,
): Promise<Pick<Rate, 'decodeOperationsPerSecond' | 'bytesPerSecond'>> {
  const crew = await openCrew(threads, () => undefined);
  const memory = crew.pool.with(2 * WIDTH * WIDTH + 8 * MANY * WIDTH);
  const weights = memory.allocUncounted(2 * WIDTH * WIDTH + 16);
  const rows = memory.allocUncounted(4 * MANY * WIDTH);
  const out = memory.allocUncounted(4 * MANY * WIDTH);
  memory.halves(weights, WIDTH * WIDTH).fill(0x3f00);
  memory.floats(rows, MANY * WIDTH).fill(0.5);
  const stride = 4 * WIDTH;
  const matrix = { form: 1, at: weights, rowBytes: 2 * WIDTH, rows: WIDTH, columns: WIDTH } as const;
  const secondsOf = (count: number): number =>
    best(() => {
      for (let from = 0; from < WIDTH; from += 64) {
        crew.item(memory, 1);
        const part = { from, to: from + 64 };
        crew.later(memory).multiply(matrix, part, { at: rows, stride }, count, 1, 0, { at: out, stride });
      }
      crew.run(memory);
    });
  try {
    return {
      decodeOperationsPerSecond: (2 * MANY * WIDTH * WIDTH) / secondsOf(MANY),
      bytesPerSecond: (2 * WIDTH * WIDTH) / secondsOf(1),
    };
  } finally {
    for (const pointer of [weights, rows, out]) memory.free(pointer);
    crew.close();
  }
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
