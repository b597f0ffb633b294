/**
 * Parts of a layer as layers of their own: a stretch of the prompt, or some of its tokens.
 *
 * A method scores a part as it scores a prompt, and knows nothing of the rest.
 */
import { onceByName } from '../cache/once.js';
import { observationKey, observationSize, type LayerTrace, type Observation } from '../cache/types.js';
import { observed } from './observations.js';

/** Each stretch of `chunk` positions of the prompt, with what `observations` measured of it alone. */
export function chunkTraces(
  trace: LayerTrace,
  chunk: number,
  observations: readonly Observation[],
): LayerTrace[] {
  const measured = observations.map((of) => ({
    of,
    all: observed(trace, { kind: 'in_chunks', chunk, of }),
    at: 0,
  }));
  return Array.from({ length: Math.ceil(trace.length / chunk) }, (_, c) => {
    const start = c * chunk;
    const length = Math.min(chunk, trace.length - start);
    const shape = { ...trace, length };
    const own = measured.map((one): [string, Float32Array] => {
      const end = one.at + observationSize(one.of, shape);
      const numbers = one.all.subarray(one.at, end);
      one.at = end;
      return [observationKey(one.of), numbers];
    });
    const stretch = Int32Array.from({ length }, (_, t) => start + t);
    return {
      ...tokensTrace(trace, Array(trace.kvHeads).fill(stretch) as Int32Array[]),
      observations: new Map(own),
    };
  });
}

/** Some tokens, per KV head as many; without observations. */
export function tokensTrace(trace: LayerTrace, tokens: readonly Int32Array[]): LayerTrace {
  const { headDim: D, length: S, kvHeads: KV } = trace;
  const n = tokens[0]!.length;
  const gather = (side: Float32Array): Float32Array => {
    const rows = new Float32Array(KV * n * D); // [KV, n, D]
    tokens.forEach((positions, h) => {
      positions.forEach((t, i) => {
        rows.set(side.subarray((h * S + t) * D, (h * S + t + 1) * D), (h * n + i) * D);
      });
    });
    return rows;
  };
  const { keys, values } = trace;
  return {
    ...trace,
    length: n,
    keys: gather(keys),
    values: gather(values),
    observations: new Map(),
    once: onceByName(),
    lowRank: undefined,
  };
}
