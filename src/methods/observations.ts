/**
 * Asking for observations of the prefill, and reading them back.
 *
 * A method asks by a value and reads by the same value, so that the two cannot differ.
 */
import * as z from 'zod';
import { observationKey, type LayerTrace, type Observation } from '../cache/types.js';

/** Queries of the longest window: attention of all of them is held at once, over the whole prompt. */
export const LONGEST_WINDOW = 1024;

/** A number of queries at the end of the prompt. */
export const windowField = z.int().min(1).max(LONGEST_WINDOW);

/** Post-RoPE queries of the last `window` positions, `[H, w, D]`, w = min(window, S). */
export function windowQueries(window: number): Observation {
  return { kind: 'window_queries', window };
}

/** Causal softmax attention of the last `window` queries to all keys, mean over the queries, `[H, S]`. */
export function windowAttention(window: number): Observation {
  return { kind: 'window_attention', window };
}

/** Logits of the last `window` queries, scaled by 1/√D, before softmax, `[H, w, S]`; −Infinity where a key is not seen. */
export function windowLogits(window: number): Observation {
  return { kind: 'window_logits', window };
}

/** Causal attention output of the last `window` queries, `[H, w, D]`. */
export function windowOutputs(window: number): Observation {
  return { kind: 'window_outputs', window };
}

/** Causal softmax attention of all queries, sum over those that see each key, `[H, S]`. */
export const attentionSums: Observation = { kind: 'attention_sums' };

/** ‖v W_o,h‖₁ of each value through the output projection, mean over the query heads of its KV head, `[KV, S]`. */
export const valueOutputNorms: Observation = { kind: 'value_output_norms' };

/** Mean query to come: that of the positions from `skip` on, rotated by the mean of the next `horizon` positions, `[H, D]`. */
export function futureQuery(skip: number, horizon: number): Observation {
  return { kind: 'future_query', skip, horizon };
}

/** Keys before RoPE, `[KV, S, D]`. */
export const unrotatedKeys: Observation = { kind: 'unrotated_keys' };

/** What was measured. A method may read only what its `observes` has asked for. */
export function observed(trace: LayerTrace, observation: Observation): Float32Array {
  const key = observationKey(observation);
  const measured = trace.observations.get(key);
  if (measured === undefined) throw new Error(`layer ${trace.layer} was traced without ${key}`);
  return measured;
}
