/**
 * One side of a layer of which tokens are quantised while decoding: prompt and decoded tokens, all KV heads.
 *
 * Tokens that the residual no longer holds become codes after a step; within it they are read as they are.
 * Alphabet: T new tokens, KV, D.
 */
import { bitsOf } from '../../kernels/entries.js';
import { sumBytes } from '../bytes.js';
import type { PackedBuffers } from '../packed-buffers.js';
import { settledTokens } from '../encode/quantise.js';
import type { QuantisedRun } from './quantised-run.js';
import type { PackedSide } from './segment.js';
import type { SideTail } from './tail.js';
import type { Precision } from '../types.js';

export class QuantisedTail implements SideTail {
  readonly settles = true;
  length = 0;

  /**
   * @param heads per KV head its runs, oldest tokens first; decoded tokens join the last
   * @param decoded what holds decoded tokens only
   */
  constructor(
    private readonly heads: readonly (readonly QuantisedRun[])[],
    private readonly precision: Precision,
    private readonly decoded: PackedBuffers,
  ) {}

  append(rows: Float32Array, tokens: number): void {
    const bits = bitsOf(rows); // [T, KV, D]
    const width = rows.length / tokens / this.heads.length;
    for (let t = 0; t < tokens; t++) {
      this.heads.forEach((runs, head) => {
        runs.at(-1)!.push(bits, (t * this.heads.length + head) * width);
      });
    }
    this.length += tokens;
  }

  side(head: number, tokens: number): PackedSide {
    const runs = this.heads[head]!;
    return runs.flatMap((run, i) => run.side(i === runs.length - 1 ? this.length - tokens : 0));
  }

  settle(tokens: number): void {
    const hidden = this.length - tokens;
    for (const runs of this.heads) {
      const waiting = runs.reduce((total, run) => total + run.waiting, -hidden);
      let due = settledTokens(this.precision, waiting);
      for (const run of runs) {
        const count = Math.min(due, run.waiting);
        run.settle(count);
        due -= count;
      }
    }
  }

  bytes(): number {
    return sumBytes(this.decoded.bytes());
  }

  free(): void {
    this.decoded.free();
    this.length = 0;
  }
}
