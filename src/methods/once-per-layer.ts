/**
 * What several pipelines need of one layer, computed once.
 *
 * Decides that a result lives as long as the layer's trace. Knows nothing of what is computed.
 */
import type { LayerTrace } from '../cache/types.js';

const memos = new WeakMap<LayerTrace, Map<string, unknown>>();

/**
 * The result of `compute` for this layer; who asks again under the same name gets the same object.
 *
 * @param name says all that the result depends on beside the trace
 */
export function oncePerLayer<T>(trace: LayerTrace, name: string, compute: () => T): T {
  const memo = memos.get(trace) ?? new Map<string, unknown>();
  memos.set(trace, memo);
  if (!memo.has(name)) memo.set(name, compute());
  return memo.get(name) as T;
}
