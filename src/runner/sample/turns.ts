/**
 * Pipelines in turns: as many together as their caches fit into the cache memory.
 *
 * What a cache needs is measured on the first layer. What a cache needs is measured on the first layer, so that a cut
 * costs a layer and not a prefill; where that was too little after all, memory runs out later, and the list is cut in
 * two.
 */
import { CHUNK_TOKENS } from '../../cache/rows/tail.js';
import { OutOfCacheMemory } from '../../kernels/memory.js';
import type { Pipeline } from '../../methods/types.js';
import type { ModelConfig } from '../../checkpoint/types.js';
import type { Segments } from './prompt.js';

/** Scores that attention holds at once, bytes, unless one token needs more. */
const MOST_SCORES = 16 * 2 ** 20;
/** Share of the memory that gaps between buffers may take. */
const FRAGMENTED = 0.05;

/** The pipelines do not fit together; `groups` of them, in order, should. */
class TooManyTogether extends Error {
  constructor(
    /** How many pipelines each turn takes. */
    readonly groups: readonly number[],
  ) {
    super('the caches do not fit into the cache memory together');
  }
}

/** What `run` gives for each turn; all pipelines in one turn, where that fits. */
export async function inTurns<T>(
  pipelines: readonly Pipeline[],
  run: (pipelines: readonly Pipeline[]) => Promise<T>,
): Promise<T[]> {
  const waiting = [pipelines];
  const outcomes: T[] = [];
  for (let turn = waiting.shift(); turn !== undefined; turn = waiting.shift()) {
    try {
      outcomes.push(await run(turn));
    } catch (error) {
      waiting.unshift(...cut(turn, error));
    }
  }
  return outcomes;
}

/** The turns that a turn which did not fit is cut into. Throws what has another reason, or cannot be cut. */
function cut(turn: readonly Pipeline[], error: unknown): Pipeline[][] {
  if (error instanceof TooManyTogether) return cutBy(turn, error.groups);
  if (!(error instanceof OutOfCacheMemory)) throw error;
  if (turn.length === 1) throw error.at(turn[0]!.label);
  const half = Math.ceil(turn.length / 2);
  return cutBy(turn, [half, turn.length - half]);
}

function cutBy(turn: readonly Pipeline[], counts: readonly number[]): Pipeline[][] {
  let from = 0;
  return counts.map((count) => turn.slice(from, (from += count)));
}

/**
 * Throws where the rows of a turn will not fit together, with the turns that will. A row that alone is too large has a
 * turn of its own: it may turn out to be smaller.
 *
 * @param needs bytes of each row
 * @param limit bytes that there are
 */
export function expectToFit(needs: readonly number[], limit: number): void {
  const groups: number[] = [];
  let room = 0;
  for (const need of needs) {
    if (groups.length > 0 && need <= room) groups[groups.length - 1]!++;
    else {
      groups.push(1);
      room = limit * (1 - FRAGMENTED);
    }
    room -= need;
  }
  if (groups.length > 1) throw new TooManyTogether(groups);
}

/** Bytes that decoding needs beside the packed prompts. */
export function decodeRoom(
  { layers, heads, kvHeads, headDim }: Pick<ModelConfig, 'layers' | 'heads' | 'kvHeads' | 'headDim'>,
  { contextIds, suffixIds }: Pick<Segments, 'contextIds' | 'suffixIds'>,
  maxNewTokens: number,
): { readonly perRow: number; readonly shared: number } {
  const chunks = Math.ceil((suffixIds.length + maxNewTokens) / CHUNK_TOKENS);
  const group = heads / kvHeads;
  const row = 4 * group * (contextIds.length + suffixIds.length + maxNewTokens); // scores of one token
  const queries = 4 * group * headDim * suffixIds.length;
  return {
    perRow: layers * 2 * kvHeads * chunks * CHUNK_TOKENS * headDim * 4,
    shared: Math.max(row, Math.min(MOST_SCORES, row * suffixIds.length)) + 4 * queries,
  };
}
