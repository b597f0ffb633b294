/**
 * Asking for observations of the prefill, and reading them back.
 *
 * Decides nothing but the two directions of one name. Knows nothing of how they are measured.
 */
import { observationKey, type LayerTrace, type Observation } from '../cache/types.js';

/** Post-RoPE queries of the last `window` positions, `[H, w, D]`, w = min(window, S). */
export function windowQueries(window: number): Observation {
  return { kind: 'window_queries', window };
}

/** Causal softmax attention of the last `window` queries to all keys, mean over the queries, `[H, S]`. */
export function windowAttention(window: number): Observation {
  return { kind: 'window_attention', window };
}

/** What was measured. A method may read only what its `observes` has asked for. */
export function observed(trace: LayerTrace, observation: Observation): Float32Array {
  const key = observationKey(observation);
  const measured = trace.observations.get(key);
  if (measured === undefined) throw new Error(`layer ${trace.layer} was traced without ${key}`);
  return measured;
}
