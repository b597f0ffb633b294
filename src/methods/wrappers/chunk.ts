/**
 * Chunked prefill of another method (ChunkPress of kvpress): each stretch of the prompt is scored and cut alone.
 *
 * The observation window is then the end of each chunk: what a device does that compresses while a long prompt comes in.
 */
import * as z from 'zod';
import { observationKey } from '../../cache/types.js';
import { chunkTraces } from '../part-trace.js';
import { indicesOfLargest } from '../select.js';
import { expectEvictable, keepsAll, safeFirst, scoreHeads } from '../token/token-method.js';
import type { TokenMethod } from '../types.js';
import { budgetFields } from '../token/token-method.js';
import { baseOf, checkBase, nested, scorerFields } from './base-scorer.js';
import { scorers } from './scorers.js';

/** Not random, whose draws belong to positions of the prompt, nor pyramidkv, whose budget is of whole layers. */
const BASES = [...scorers.keys()].filter((name) => name !== 'random' && name !== 'pyramidkv');

const params = z
  .strictObject({
    ...scorerFields(BASES),
    ...budgetFields,
    chunk: z
      .int()
      .min(1)
      .max(65_536)
      .default(1024)
      .describe('positions of the prompt that are scored and cut together, 1 to 65,536'),
  })
  .check(checkBase)
  .check((context) => {
    const { chunk, ratio } = context.value;
    if (ratio === undefined || context.issues.length > 0) return;
    const { first, last, of } = always(context.value);
    if (Math.trunc(chunk * (1 - ratio)) >= Math.max(1, first + last)) return;
    const message = `expected chunks that leave at least ${Math.max(1, first + last)} tokens (${of}), got ${Math.trunc(chunk * (1 - ratio))}`;
    context.issues.push({ code: 'custom', input: context.value, path: ['chunk'], message });
  });

type ChunkParams = z.infer<typeof params>;

function always(params: ChunkParams): { readonly first: number; readonly last: number; readonly of: string } {
  const { method, own } = baseOf(params);
  return method.scorer.alwaysKept(own);
}

export const chunk = {
  name: 'chunk',
  axis: 'token',
  summary: "cuts the prompt into chunks and keeps another method's best tokens of each",
  paper: 'none: ChunkPress of kvpress (FINCH, TACL a_00716, compresses by chunks)',
  stores: 'keys and values of the kept tokens, dense',
  notes: [
    'Each chunk is scored by its own queries at their own positions. kvpress rotates the queries of every chunk to the last positions of the prompt under snapkv, a mistake that is not built: about a tenth of the kept positions differ.',
    'What the base always keeps, stays in every chunk; of a last chunk that is too short for the ratio, that alone.',
    'A budget is spread over the chunks by their length.',
    'The prefill itself attends to the whole prompt, as in kvpress.',
  ],
  params,
  sizedBy: ['budget', 'ratio'],
  nested,
  observes: (params) => {
    const { observations } = baseOf(params);
    return observations.map((of) => ({ kind: 'in_chunks', chunk: params.chunk, of }));
  },
  layers: (params) => {
    const { method, own } = baseOf(params);
    return method.layers?.(own) ?? [];
  },
  asksForNothing: (_trace, params, plan) => keepsAll(params, plan),
  plan(trace, params, plan) {
    expectEvictable('chunk', plan);
    if (keepsAll(params, plan)) return plan;
    const { method, own, observations } = baseOf(params);
    const share = (held: number): number =>
      params.ratio === undefined ? Math.min(1, params.budget! / held) : 1 - params.ratio;
    const name = `chunks of ${params.chunk}: ${observations.map(observationKey).join()}`;
    const parts = trace.once(name, () => chunkTraces(trace, params.chunk, observations));
    const kept = plan.tokens.map((): number[] => []);
    parts.forEach((part, c) => {
      const start = c * params.chunk;
      const held = plan.tokens.map((tokens) =>
        tokens.filter((t) => t >= start && t < start + part.length).map((t) => t - start),
      );
      scoreHeads(method.scorer, part, own, { tokens: held }).forEach((head, h) => {
        const n = head.held.length;
        const safe = head.safe.reduce((count, one) => count + one, 0);
        const whole = method.scorer.keep?.(part, own, n) === n;
        const keep = whole ? n : Math.trunc(n * share(plan.tokens[h]!.length));
        const count = Math.min(n, Math.max(1, safe, keep));
        for (const i of indicesOfLargest(safeFirst(head), count)) kept[h]!.push(start + head.held[i]!);
      });
    });
    return { ...plan, tokens: kept.map((tokens) => Int32Array.from(tokens)) };
  },
} satisfies TokenMethod<ChunkParams>;
