/**
 * `npm run bench -- --against DIR`: this build against another one of the program, side by side.
 *
 * Both run the same specs as a user would, in turns; what a journal says of prefill, decoding and memory is compared. DIR is a
 * checkout that was built; without it these targets are skipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelIn } from './model.js';
import { withFolder } from './program.js';
import { median, Skip, type BenchContext } from './types.js';

export const OURS = fileURLToPath(new URL('..', import.meta.url));
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

export interface Measured {
  /** Seconds of a step of all rows together. */
  readonly step: number;
  readonly prefill: number;
  /** Of the prompt. */
  readonly tokens: number;
  /** Seconds of the sample, without the start. */
  readonly sample: number;
  readonly peakBytes: number;
}

/** Of one row and of 27, round by round: the other build and this one. */
export interface Comparison {
  readonly one: Sides;
  readonly many: Sides;
}

interface Sides {
  readonly before: readonly Measured[];
  readonly now: readonly Measured[];
}

/** Measures both builds in turns. Throws `Skip` where there is no other one. */
export async function compareBuilds({
  repeat,
  log,
  against,
}: Pick<BenchContext, 'repeat' | 'log' | 'against'>): Promise<Comparison> {
  const other = builtCheckout(against);
  return withFolder((folder) => {
    const model = modelIn(folder, log);
    const one = { before: [] as Measured[], now: [] as Measured[] };
    const many = { before: [] as Measured[], now: [] as Measured[] };
    for (let round = 1; round <= repeat; round++) {
      for (const [cases, cache] of [
        [one, ['full']],
        [many, TABLE1],
      ] as const) {
        const [before, now] = [other, OURS].map((program) => measure(program, folder, model, cache)) as [
          Measured,
          Measured,
        ];
        cases.before.push(before);
        cases.now.push(now);
        log(
          `against ${round}/${repeat}, ${cache.length} rows: a step ${ms(before.step)} → ${ms(now.step)} ms, ` +
            `prefill ${before.prefill.toFixed(1)} → ${now.prefill.toFixed(1)} s, ` +
            `peak ${gb(before.peakBytes)} → ${gb(now.peakBytes)} GB`,
        );
      }
    }
    return { one, many };
  });
}

/** The folder of `--against`. Throws `Skip` where it was not given, or is not built. */
export function builtCheckout(against: string | undefined): string {
  if (against === undefined) throw new Skip('no --against DIR, a built checkout to compare with');
  if (!existsSync(join(against, 'dist', 'cli', 'main.js'))) throw new Skip(`${against} is not built`);
  return against;
}

/** This build over the other one, the median of the rounds. */
export function ratio({ before, now }: Sides, key: keyof Measured): number {
  return median(now.map((each, i) => each[key] / before[i]![key]));
}

interface Line {
  readonly prefillSeconds: number;
  readonly compressSeconds: number;
  readonly decodeSeconds: number;
  readonly generatedTokens: number;
  readonly promptTokens: number;
  readonly peakRssBytes: number;
}

/** A sample of 4,096 tokens as `spark-eval run` computes it, in a process of its own. */
export function measure(program: string, folder: string, model: string, cache: readonly string[]): Measured {
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
    tokens: first.promptTokens,
    sample: first.prefillSeconds + compress + first.decodeSeconds,
    peakBytes: Math.max(...records.map(({ peakRssBytes }) => peakRssBytes)),
  };
}

const ms = (seconds: number): string => (1000 * seconds).toFixed(0);
const gb = (bytes: number): string => (bytes / 1e9).toFixed(2);
