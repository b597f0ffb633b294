/**
 * `npm run bench -- --only kernels`, or alone `npx tsx bench/kernels.ts`: one decode step of packed attention.
 *
 * Compared are one KV head, one new token, scores, softmax and values, on bfloat16 caches that hold n tokens; all
 * variants in turn in the same loop, each timed a few hundred times. The best time of each counts, as the machine may be
 * shared. Values are dense in every variant. Masks and signs are random, which is the worst case for both.
 *
 * How to read it: `× dense` is the time over that of the dense bfloat16 kernel, and, as that is faster than it has to
 * be, over that of one with 20 GFLOP/s; GFLOP/s are the dense kernel's multiply-adds (2 each) over its time; `× floor`
 * is the time over the larger of bytes read / memory bandwidth and instructions / SIMD rate, both measured here, and the
 * floor that binds is named. Instructions are counted, not operations, and both for the form of the kernels that runs: a
 * multiply-add is one where it is fused, two where it is not, which makes the floor of fused kernels a lower one. A
 * SparK row needs T multiply-adds and D/8 additions for its score.
 */
import { onceByName } from '../src/cache/once.js';
import { pathToFileURL } from 'node:url';
import { encodeLayer } from '../src/cache/layer-cache.js';
import { fullPlan } from '../src/cache/plan.js';
import { sumBytes } from '../src/cache/bytes.js';
import type { LayerPlan, LayerTrace, SidePlan } from '../src/cache/types.js';
import { kernelForm, openKernels } from '../src/kernels/index.js';
import { instructionsOf, memoryBandwidth, simdRate } from './kernels-rates.js';
import type { Bench, Target } from './types.js';

const TOKENS = 4096;
const ROUNDS = 300;

/** GFLOP/s that a dense kernel must have for a packed one to be held against it; ours has more. */
const DENSE_RATE = 20;

/** Of one score: 9 in its exponential. */
const SOFTMAX_MULTIPLY_ADDS = 9;
/** Of one score: 6 in its exponential, 2 before it; the largest, the sum and the share one each. */
const SOFTMAX_OTHERS = 11;

const SHAPES = [
  { width: 64, group: 3 },
  { width: 64, group: 4 },
  { width: 128, group: 3 },
  { width: 128, group: 4 },
];

interface Shape {
  /** D */
  readonly width: number;
  /** G */
  readonly group: number;
}

interface Variant {
  readonly name: string;
  readonly plan: LayerPlan;
  /** Of the score of one token for one query row. */
  readonly multiplyAdds: number;
  /** Instructions beside these. */
  readonly others: number;
  /** At most this many times the dense kernel. */
  readonly limit?: number;
}

interface Measured extends Variant {
  readonly microseconds: number;
  readonly floor: number;
  readonly boundBy: 'memory' | 'instructions';
}

export const kernels: Bench = { name: 'kernels', run: ({ log }) => measureKernels(log) };

async function measureKernels(log: (line: string) => void): Promise<Target[]> {
  const form = kernelForm();
  const rates = { bandwidth: memoryBandwidth(), simd: await simdRate(form) };
  const [bandwidth, lanes] = [rates.bandwidth / 1e9, rates.simd / 1e9];
  log(
    `kernels ${form}, memory ${bandwidth.toFixed(1)} GB/s, SIMD ${lanes.toFixed(1)} · 10⁹ lanes of instructions per second`,
  );
  return SHAPES.flatMap((shape) => {
    const [dense, ...others] = measure(shape, rates);
    const title = `D = ${shape.width}, G = ${shape.group}`;
    log(`${title}, n = ${TOKENS}`);
    for (const m of [dense!, ...others]) {
      const ratio = (m.microseconds / dense!.microseconds).toFixed(2);
      const floor = `${(m.microseconds / m.floor).toFixed(2)} × floor (${m.boundBy})`;
      log(`  ${m.name.padEnd(9)} ${m.microseconds.toFixed(1)} µs  ${ratio} × dense  ${floor}`);
    }
    const flops = 4 * TOKENS * shape.width * shape.group;
    const targets: Target[] = [
      {
        name: `dense kernel, GFLOP/s, ${title}`,
        value: flops / dense!.microseconds / 1e3,
        limit: DENSE_RATE,
        bound: 'at least',
      },
    ];
    for (const { name, microseconds, floor, limit } of others) {
      if (limit === undefined) continue;
      const value = microseconds / dense!.microseconds;
      targets.push({ name: `${name} × dense, ${title}`, value, limit, bound: 'at most' });
      targets.push({
        name: `${name} × dense at ${DENSE_RATE} GFLOP/s, ${title}`,
        value: (microseconds * 1e3 * DENSE_RATE) / flops,
        limit,
        bound: 'at most',
      });
      targets.push({
        name: `${name} × floor, ${title}`,
        value: microseconds / floor,
        limit: 2,
        bound: 'at most',
      });
    }
    return targets;
  });
}

function measure(shape: Shape, rates: { readonly bandwidth: number; readonly simd: number }): Measured[] {
  const { width: D, group: G } = shape;
  const code = openKernels();
  const trace = randomTrace(shape);
  const query = randomNumbers(G * D);
  const out = new Float32Array(G * D);
  const prepared = variants(trace).map((variant) => {
    const cache = encodeLayer(trace, variant.plan, 'bfloat16', code);
    cache.append(randomNumbers(D), randomNumbers(D), 1);
    return { variant, cache, best: Infinity };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of prepared) {
      const started = performance.now();
      one.cache.attend(query, 1, out);
      one.best = Math.min(one.best, performance.now() - started);
    }
  }
  return prepared.map(({ variant, cache, best }) => {
    const memory = (1e6 * sumBytes(cache.bytes())) / rates.bandwidth;
    const multiplyAdds = variant.multiplyAdds + SOFTMAX_MULTIPLY_ADDS + D;
    const lanes = instructionsOf(kernelForm()) * multiplyAdds + variant.others + SOFTMAX_OTHERS;
    const instructions = (1e6 * TOKENS * G * lanes) / rates.simd;
    cache.free();
    const floor = Math.max(memory, instructions);
    // nothing is faster than a floor: then the rates were measured wrongly, and say nothing
    if (best * 1000 < floor)
      throw new Error(`${variant.name} took ${best * 1000} µs, less than its floor of ${floor}`);
    return {
      ...variant,
      microseconds: best * 1000,
      floor,
      boundBy: memory > instructions ? 'memory' : 'instructions',
    };
  });
}

function variants(trace: LayerTrace): Variant[] {
  const D = trace.headDim;
  const full = fullPlan(trace);
  const kept = (ratio: number): number => D - Math.floor(ratio * D);
  const spark = (ratio: number, limit: number): Variant => ({
    name: `SparK ${ratio}`,
    plan: { ...full, keys: sparkKeys(trace, kept(ratio)) },
    multiplyAdds: kept(ratio),
    others: D / 8,
    limit,
  });
  const think = (ratio: number, limit?: number): Variant => ({
    name: `ThinK ${ratio}`,
    plan: { ...full, keys: { codec: 'channels', recent: 0, masks: [randomMasks(1, D, kept(ratio))] } },
    multiplyAdds: kept(ratio),
    others: 0,
    ...(limit !== undefined && { limit }),
  });
  return [
    { name: 'dense', plan: full, multiplyAdds: D, others: 0 },
    spark(0.8, 0.9),
    spark(0.5, 1.4),
    think(0.8),
    think(0.5, 0.7),
  ];
}

function sparkKeys({ headDim: D, length: n }: LayerTrace, T: number): SidePlan {
  const fill = { kind: 'signed' as const, scale: randomNumbers(n), channel: randomNumbers(D) };
  return { codec: 'sparse', heads: [{ mask: randomMasks(n, D, T), fill }] };
}

function randomTrace({ width, group }: Shape): LayerTrace {
  return {
    layer: 0,
    layers: 1,
    heads: group,
    kvHeads: 1,
    headDim: width,
    length: TOKENS,
    keys: randomNumbers(TOKENS * width),
    values: randomNumbers(TOKENS * width),
    observations: new Map(),
    once: onceByName(),
  };
}

function randomNumbers(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => 2 * Math.random() - 1);
}

/** `[n, D]`, T ones in each row. */
function randomMasks(n: number, D: number, T: number): Uint8Array {
  const masks = new Uint8Array(n * D);
  const channels = Array.from({ length: D }, (_, j) => j);
  for (let t = 0; t < n; t++) {
    for (let i = 0; i < T; i++) {
      const other = i + Math.floor(Math.random() * (D - i));
      [channels[i], channels[other]] = [channels[other]!, channels[i]!];
      masks[t * D + channels[i]!] = 1;
    }
  }
  return masks;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const targets = await measureKernels((line) => {
    console.log(line);
  });
  for (const { name, value, bound, limit } of targets) {
    console.log(`${name}: ${value.toFixed(2)} (${bound} ${limit})`);
  }
}
