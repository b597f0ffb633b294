/**
 * Decode: continuations of one prompt under many caches, as rows of one batch.
 *
 * Each weight matrix is read once a step for all rows. What a row computes depends neither on its neighbours nor on the number of
 * threads.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { notFinite } from '../base/not-finite.js';
import { DecodeStep, type DecodeRow } from './decode-step.js';
import type { Transformer } from './transformer.js';

export type { DecodeRow } from './decode-step.js';

export interface GenerateRequest {
  readonly rows: readonly DecodeRow[];
  /** Fed to every row before generation; at least one. */
  readonly suffixIds: readonly number[];
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((generated: number) => void) | undefined;
}

/**
 * Greedy continuations, one list of ids per row, the stop id included.
 *
 * The first token is not checked for a stop id, as in the protocol of the published tables: if it is one,
 * generation goes on.
 */
export async function generate(model: Transformer, request: GenerateRequest): Promise<number[][]> {
  const generated: number[][] = request.rows.map(() => []);
  let active = request.rows.map((row, index) => ({ row, index }));
  let inputs = active.map(() => request.suffixIds);
  const stop = new Set(request.stopIds);
  const decode = openStep(model, request.rows);
  try {
    for (let step = 0; step < request.maxNewTokens && active.length > 0; step++) {
      request.signal?.throwIfAborted();
      const ids = decode.bestIds(
        active.map(({ row }) => row),
        inputs,
      );
      if (ids.includes(-1)) throw notFinite('the logits are not finite');
      active.forEach(({ index }, slot) => generated[index]!.push(ids[slot]!));
      active = active.filter(({ index }) => {
        const tokens = generated[index]!;
        return tokens.length === 1 || !stop.has(tokens.at(-1)!);
      });
      inputs = active.map(({ index }) => [generated[index]!.at(-1)!]);
      request.onStep?.(step + 1);
      await nextTurn();
    }
  } finally {
    decode.free();
  }
  return generated;
}

/**
 * Advances each row by its tokens.
 *
 * @param tokens one non-empty list per row
 * @returns logits after each row's last token, `[R, V]`
 */
export function logitsAfter(
  model: Transformer,
  rows: readonly DecodeRow[],
  tokens: readonly (readonly number[])[],
): Float32Array[] {
  const decode = openStep(model, rows);
  try {
    return decode.logits(rows, tokens);
  } finally {
    decode.free();
  }
}

function openStep(model: Transformer, rows: readonly DecodeRow[]): DecodeStep {
  return new DecodeStep(model, rows[0]!.caches[0]!.memory);
}
