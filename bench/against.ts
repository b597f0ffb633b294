/**
 * `npm run bench -- --only decode --against DIR`: this build against another one of the program, side by side.
 *
 * Both run the same specs as a user would, in turns; what a journal says of prefill, decoding and memory is compared. DIR is a
 * checkout that was built; without it these targets are skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelPath } from './model.js';
import { withFolder } from './program.js';
import { writeRandomModel } from './random-model.js';
import { median, Skip, type Bench, type BenchContext, type Target } from './types.js';

const OURS = fileURLToPath(new URL('..', import.meta.url));
const ENGINE = 'native';

/** The rows of Table 1 for prompts of 4,096 tokens: budgets, window and methods as in `table1.ts`, written as a user would. */
const TABLE1 = [
  'full',
  ...[64, 256].flatMap((budget) => [
    ...['streaming_llm', 'expected_attention', 'tova'].map((name) => `${name}: { budget: ${budget} }`),
    ...['snapkv', 'pyramidkv'].flatMap((name) => {
      const evict = `${name}: { budget: ${budget}, window: 32 }`;
      return [
        evict,
        ...[0.5, 0.8].flatMap((ratio) => [
          `[{ ${evict} }, { think: { ratio: ${ratio}, variant: kvpress } }]`,
          `[{ ${evict} }, { spark: { ratio: ${ratio} } }]`,
        ]),
      ];
    }),
  ]),
].map((step) => (step === 'full' || step.startsWith('[') ? step : `{ ${step} }`));

interface Measured {
  /** Seconds of a step of all rows together. */
  readonly step: number;
  readonly prefill: number;
  /** Seconds of the sample, without the start. */
  readonly sample: number;
  readonly peakBytes: number;
}

export const decode: Bench = {
  name: 'decode',
  run: async (context) =>
    withFolder((folder) => {
      const { against } = context;
      if (against === undefined) throw new Skip('no --against DIR, a built checkout to compare with');
      if (!existsSync(join(against, 'dist', 'cli', 'main.js'))) throw new Skip(`${against} is not built`);
      return compare(context, against, folder);
    }),
};

function compare({ repeat, log }: BenchContext, against: string, folder: string): Target[] {
  const model = modelIn(folder, log);
  const one = { before: [] as Measured[], now: [] as Measured[] };
  const many = { before: [] as Measured[], now: [] as Measured[] };
  for (let round = 1; round <= repeat; round++) {
    for (const [cases, cache] of [
      [one, ['full']],
      [many, TABLE1],
    ] as const) {
      cases.before.push(measure(against, folder, model, cache));
      cases.now.push(measure(OURS, folder, model, cache));
      const [before, now] = [cases.before.at(-1)!, cases.now.at(-1)!];
      log(
        `decode ${round}/${repeat}, ${cache.length} rows: a step ${ms(before.step)} → ${ms(now.step)} ms, ` +
          `prefill ${before.prefill.toFixed(1)} → ${now.prefill.toFixed(1)} s, ` +
          `peak ${gb(before.peakBytes)} → ${gb(now.peakBytes)} GB`,
      );
    }
  }
  const ratio = ({ before, now }: typeof one, key: keyof Measured): number =>
    median(now.map((each, i) => each[key] / before[i]![key]));
  return [
    { name: 'decode: a step of one row / before', value: ratio(one, 'step'), limit: 0.3, bound: 'at most' },
    { name: 'decode: a step of 27 rows / before', value: ratio(many, 'step'), limit: 0.7, bound: 'at most' },
    {
      name: 'sweep: a sample of 27 rows / before',
      value: ratio(many, 'sample'),
      limit: 0.75,
      bound: 'at most',
    },
    { name: 'prefill / before', value: ratio(one, 'prefill'), limit: 1, bound: 'at most' },
    {
      name: 'memory: peak of 27 rows / before',
      value: ratio(many, 'peakBytes'),
      limit: 0.65,
      bound: 'at most',
    },
  ];
}

/** The real model, or one of its shape. */
function modelIn(folder: string, log: (line: string) => void): string {
  try {
    return join(modelPath(), '..');
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log('SmolLM2-135M is not pulled: random weights of its shape');
    const path = join(folder, 'model');
    if (!existsSync(path)) writeRandomModel(path);
    return path;
  }
}

interface Line {
  readonly prefillSeconds: number;
  readonly compressSeconds: number;
  readonly decodeSeconds: number;
  readonly generatedTokens: number;
  readonly peakRssBytes: number;
}

function measure(program: string, folder: string, model: string, cache: readonly string[]): Measured {
  const [spec, out] = [join(folder, 'spec.yaml'), join(folder, 'out')];
  rmSync(out, { recursive: true, force: true });
  const lines = cache.map((step) => `  - ${step}\n`).join('');
  writeFileSync(
    spec,
    `name: against\nmodel: ${JSON.stringify(model)}\ntasks: [{ task: ruler/niah_single_2 }]\ncontext: 4096\nsamples: 1\noutput: ${JSON.stringify(out)}\ncache:\n${lines}`,
  );
  const args = [join(program, 'bin', 'spark-eval.js'), 'run', spec, '--engine', ENGINE, '--progress', 'none'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  const records = readFileSync(join(out, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const [first] = records as [Line];
  const steps = Math.max(...records.map(({ generatedTokens }) => generatedTokens));
  const compress = records.reduce((total, { compressSeconds }) => total + compressSeconds, 0);
  return {
    step: first.decodeSeconds / steps,
    prefill: first.prefillSeconds,
    sample: first.prefillSeconds + compress + first.decodeSeconds,
    peakBytes: Math.max(...records.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

const ms = (seconds: number): string => (1000 * seconds).toFixed(0);
const gb = (bytes: number): string => (bytes / 1e9).toFixed(2);
