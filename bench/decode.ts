/**
 * `npm run bench -- --only decode`: steps of decoding against another build and against PyTorch, attention on two threads.
 *
 * Both sides of a ratio are measured in turns in one run.
 */
import { processors } from '../src/base/processors.js';
import { encodeLayer } from '../src/cache/layer-cache.js';
import { workOf } from '../src/cache/attention-work.js';
import { fullPlan } from '../src/cache/plan.js';
import { onceByName } from '../src/cache/once.js';
import { openCrew } from '../src/kernels/crew.js';
import { openKernels } from '../src/kernels/index.js';
import { ratio } from './against.js';
import { comparePyTorch } from './pytorch.js';
import { median, orSkipped, Skip, type Bench, type BenchContext, type Target } from './types.js';

/** A layer of SmolLM2-135M, and rows that decode together. */
const [H, KV, D, TOKENS, ROWS] = [9, 3, 64, 4096, 27];
const TIMES = 20;

const AGAINST = [
  'decode: a step of one row / before',
  'decode: a step of 27 rows / before',
  'prefill / before',
] as const;
const ATTENTION = 'decode: attention of 27 rows, 2 threads over 1';

export const decode: Bench = {
  name: 'decode',
  run: async (context) => [
    ...(await orSkipped(AGAINST, () => againstBefore(context))),
    ...(await comparePyTorch(context)),
    ...(processors() < 2
      ? [{ name: ATTENTION, skipped: 'there is one processor' }]
      : [await attentionOnThreads(context)]),
  ],
};

async function againstBefore({ compared }: BenchContext): Promise<Target[]> {
  const { one, many } = await compared();
  return [
    { name: AGAINST[0], value: ratio(one, 'step'), limit: 0.3, bound: 'at most' },
    { name: AGAINST[1], value: ratio(many, 'step'), limit: 0.7, bound: 'at most' },
    { name: AGAINST[2], value: ratio(one, 'prefill'), limit: 1, bound: 'at most' },
  ];
}

async function attentionOnThreads({ repeat, log }: BenchContext): Promise<Target> {
  const rounds: number[] = [];
  for (let r = 0; r < repeat; r++) {
    const [one, two] = [await attentionSeconds(1), await attentionSeconds(2)];
    log(
      `decode: attention of a layer ${(1e3 * one).toFixed(2)} ms on one thread, ${(1e3 * two).toFixed(2)} on two`,
    );
    rounds.push(one / two);
  }
  return { name: ATTENTION, value: median(rounds), limit: 1.8, bound: 'at least' };
}

/** Of one layer of all rows; the best of several. */
async function attentionSeconds(threads: number): Promise<number> {
  const crew = await openCrew(threads, (line) => {
    throw new Skip(line);
  });
  const kernels = openKernels({ maxBytes: 2 ** 30 });
  const { memory } = kernels;
  const numbers = Float32Array.from({ length: TOKENS * KV * D }, (_, i) => Math.sin(i));
  const trace = {
    ...{ layer: 0, layers: 1, heads: H, kvHeads: KV, headDim: D, length: TOKENS },
    ...{ keys: numbers, values: numbers, observations: new Map(), once: onceByName() },
  };
  const caches = Array.from({ length: ROWS }, () => encodeLayer(trace, fullPlan(trace), 'bfloat16', kernels));
  const stride = 4 * H * D;
  const [queries, out] = [memory.alloc(ROWS * stride), memory.alloc(ROWS * stride)];
  memory.floats(queries, ROWS * H * D).fill(0.1);
  const work = workOf(crew, memory);
  const once = (): number => {
    const started = performance.now();
    caches.forEach((cache, r) => {
      const [from, to] = [queries + r * stride, out + r * stride];
      cache.attendTurn(0, 1, { queries: from, queryStride: stride, out: to, outStride: stride }, work);
    });
    crew.run(memory);
    return (performance.now() - started) / 1000;
  };
  try {
    return Math.min(...Array.from({ length: TIMES }, once));
  } finally {
    for (const cache of caches) cache.free();
    crew.close();
  }
}
