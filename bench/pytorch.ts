/**
 * Prefill and decoding of one row against PyTorch, where the reader has it: `bench/peers/pytorch.py` says how.
 *
 * Both compute with the weights of one folder, in turns, in float32 where PyTorch is concerned.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { measure, OURS } from './against.js';
import { withFolder } from './program.js';
import { writeRandomModel } from './random-model.js';
import { median, type BenchContext, type SkippedTarget, type Target } from './types.js';

const SCRIPT = fileURLToPath(new URL('peers/pytorch.py', import.meta.url));
const PYTHON = fileURLToPath(new URL('peers/.venv/bin/python', import.meta.url));
const STEPS = 32;

const [PREFILL, STEP] = ['prefill / PyTorch', 'decode: a step of one row / PyTorch'] as const;

const outputSchema = z.object({ prefill: z.number(), step: z.number() });

export async function comparePyTorch({
  repeat,
  log,
}: Pick<BenchContext, 'repeat' | 'log'>): Promise<(Target | SkippedTarget)[]> {
  if (!existsSync(PYTHON)) {
    const skipped = 'no PyTorch in bench/peers/.venv; see bench/peers/pytorch.py';
    return [PREFILL, STEP].map((name) => ({ name, skipped }));
  }
  return withFolder((folder) => {
    const model = join(folder, 'model');
    writeRandomModel(model);
    const rounds = Array.from({ length: repeat }, (_, round) => {
      const ours = measure(OURS, folder, model, ['full']);
      const theirs = pytorch(model, ours.tokens);
      const show = (seconds: number): string => `${(1e3 * seconds).toFixed(0)} ms`;
      log(
        `pytorch ${round + 1}/${repeat}: prefill ${ours.prefill.toFixed(1)} s, PyTorch ${theirs.prefill.toFixed(1)} s; ` +
          `a step ${show(ours.step)}, PyTorch ${show(theirs.step)}`,
      );
      return { prefill: ours.prefill / theirs.prefill, step: ours.step / theirs.step };
    });
    return [
      {
        ...{ name: PREFILL, value: median(rounds.map(({ prefill }) => prefill)) },
        ...{ limit: 1.25, bound: 'at most' as const },
      },
      {
        ...{ name: STEP, value: median(rounds.map(({ step }) => step)) },
        ...{ limit: 0.6, bound: 'at most' as const },
      },
    ];
  });
}

function pytorch(model: string, tokens: number): z.infer<typeof outputSchema> {
  const { status, stdout, stderr } = spawnSync(PYTHON, [SCRIPT, model, String(tokens), String(STEPS)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${SCRIPT} ended with ${status}:\n${stderr}`);
  return outputSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
}
