/**
 * Targets 1, 2, 4 and 5: a sample of 4,096 tokens under the 27 pipelines of the paper's Table 1, on the native engine.
 *
 * Everything of one repetition runs right after the other, so that a loaded machine slows both sides of a ratio alike.
 */
import { methods } from '../src/methods/built-in.js';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ops } from '../src/engine/types.js';
import { UserError } from '../src/base/errors.js';
import { processors } from '../src/base/processors.js';
import { openKernels } from '../src/kernels/index.js';
import { generate } from '../src/model/decode.js';
import type { Transformer } from '../src/model/transformer.js';
import type { Pipeline } from '../src/methods/types.js';
import type { Segments } from '../src/runner/sample/prompt.js';
import { CompressedPrompt, compressPrompt, runSample } from '../src/runner/sample/run-sample.js';
import { ratio } from './against.js';
import { drawnIds, modelIn, openModel, prefillOperations } from './model.js';
import { withFolder } from './program.js';
import { FULL, sparkAlone, table1 } from './table1.js';
import { median, orSkipped, seconds, type Bench, type BenchContext, type Target } from './types.js';

export const TOKENS = 4096;
const NEW_TOKENS = 64;
const SUFFIX_TOKENS = 16;
/** M = K = N of the matmul that the machine's rate is measured with. */
const MATMUL = 2048;

const SAMPLE = 'sweep: a sample of 27 rows / before';

export const sweep: Bench = {
  name: 'sweep',
  run: async (context) => [
    ...(await withFolder((folder) => ofModel(modelIn(folder, context.log), context))),
    ...(await orSkipped([SAMPLE], async () => [
      {
        ...{ name: SAMPLE, value: ratio((await context.compared()).many, 'sample') },
        ...{ limit: 0.75, bound: 'at most' as const },
      },
    ])),
  ],
};

async function ofModel(path: string, context: BenchContext): Promise<Target[]> {
  const { files, model } = await openModel('native', path);
  try {
    return await measure(model, path, context);
  } finally {
    model.dispose();
    files.weights.close();
  }
}

async function measure(model: Transformer, path: string, { repeat, log }: BenchContext): Promise<Target[]> {
  const pipelines = table1(TOKENS);
  const operations = prefillOperations(model.config, TOKENS);
  const rounds: Round[] = [];
  for (let r = 0; r <= repeat; r++) {
    const rate = matMulRate(model.ops);
    const full = await sample(model, [FULL]);
    const all = await sample(model, pipelines);
    const packing = await sample(model, [sparkAlone(0.8)], 0);
    const rows = await secondsOfRows(model, pipelines);
    // The first round warms up.
    if (r === 0) continue;
    log(
      `sweep ${r}/${repeat}: full ${show(full)}; ${pipelines.length} pipelines ${show(all)}; ` +
        `matmul ${(rate / 1e9).toFixed(0)} GFLOP/s, prefill ${(operations / full.prefill / 1e9).toFixed(0)}`,
    );
    rounds.push({
      sweep: total(all) / total(full),
      seconds: total(all),
      rate: operations / full.prefill / rate,
      packing: packing.compress / packing.prefill,
      decode: rows / full.decode,
    });
  }
  const apart = median(await withWorkers(path, repeat, log));
  const of = (key: keyof Round): number => median(rounds.map((round) => round[key]));
  return [
    { name: '1 sweep of 27 pipelines / full alone', value: of('sweep'), limit: 2, bound: 'at most' },
    { name: '1 sweep of 27 pipelines, seconds', value: of('seconds'), limit: 16, bound: 'at most' },
    {
      name: '1 the same for each of a sample a processor, seconds',
      value: apart,
      limit: 16,
      bound: 'at most',
    },
    { name: '2 prefill rate / matmul rate', value: of('rate'), limit: 0.5, bound: 'at least' },
    { name: '4 packing / prefill', value: of('packing'), limit: 0.05, bound: 'at most' },
    { name: '5 decode of 27 rows / of one', value: of('decode'), limit: 4, bound: 'at most' },
  ];
}

/** Seconds for each sample where every processor has a process, as with `run --workers`; of each repetition. */
async function withWorkers(path: string, repeat: number, log: (line: string) => void): Promise<number[]> {
  const count = processors();
  const script = fileURLToPath(new URL('sweep-worker.ts', import.meta.url));
  const workers = Array.from({ length: count }, () =>
    fork(script, [path], { env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1' } }),
  );
  const allDone = (): Promise<unknown> => Promise.all(workers.map((worker) => once(worker, 'message')));
  try {
    await allDone();
    const rounds = [];
    for (let r = 1; r <= repeat; r++) {
      const each =
        (await seconds(() => {
          for (const worker of workers) worker.send('go');
          return allDone();
        })) / count;
      log(`sweep ${r}/${repeat}: ${count} processes with one thread, ${each.toFixed(1)} s for each sample`);
      rounds.push(each);
    }
    return rounds;
  } finally {
    for (const worker of workers) worker.kill();
  }
}

/** What one repetition gives. */
type Round = Readonly<Record<'sweep' | 'seconds' | 'rate' | 'packing' | 'decode', number>>;

interface Times {
  readonly prefill: number;
  readonly compress: number;
  readonly decode: number;
}

function total({ prefill, compress, decode }: Times): number {
  return prefill + compress + decode;
}

/** Seconds of one sample, as a run has it; no row stops early. */
export async function sample(
  model: Transformer,
  pipelines: readonly Pipeline[],
  maxNewTokens = NEW_TOKENS,
): Promise<Times> {
  const outcome = await runSample({
    model,
    kernels: openKernels(),
    methods,
    pipelines,
    segments: segmentsOf(model),
    cacheDtype: 'bfloat16',
    maxNewTokens,
    stopIds: [],
  });
  const compress = outcome.pipelines.reduce(
    (sum, one) => sum + (one instanceof UserError ? 0 : one.compressSeconds),
    0,
  );
  return { prefill: outcome.prefillSeconds, compress, decode: outcome.decodeSeconds };
}

/** Seconds of the decode alone with a row for every pipeline, those with equal caches too. */
async function secondsOfRows(model: Transformer, pipelines: readonly Pipeline[]): Promise<number> {
  const { contextIds, suffixIds } = segmentsOf(model);
  const kernels = openKernels();
  const rows = pipelines.map((pipeline) => new CompressedPrompt(pipeline, 'bfloat16'));
  try {
    await compressPrompt(model, contextIds, rows, { methods, kernels, cacheDtype: 'bfloat16' });
    return await seconds(() =>
      generate(model, {
        rows: rows.map(({ caches }) => ({ caches, position: TOKENS })),
        suffixIds,
        maxNewTokens: NEW_TOKENS,
        stopIds: [],
      }),
    );
  } finally {
    for (const row of rows) row.free();
  }
}

function segmentsOf(model: Transformer): Segments {
  const contextIds = drawnIds(model.config, TOKENS);
  return { contextIds, suffixIds: contextIds.slice(0, SUFFIX_TOKENS), truncated: false };
}

/** Operations per second of a large matmul. */
function matMulRate(ops: Ops): number {
  const x = ops.fromHost(new Float32Array(MATMUL * MATMUL).fill(0.5), [MATMUL, MATMUL]);
  try {
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now();
      const y = ops.matMul(x, x);
      ops.toHost(y);
      const took = (performance.now() - started) / 1000;
      ops.dispose(y);
      return took;
    });
    return (2 * MATMUL ** 3) / median(times);
  } finally {
    ops.dispose(x);
  }
}

function show({ prefill, compress, decode }: Times): string {
  return `${prefill.toFixed(1)} + ${compress.toFixed(1)} + ${decode.toFixed(1)} s`;
}
