/**
 * `npm run bench -- --only memory --against DIR`: what a sample of 27 rows takes at most, and what loading a model adds.
 *
 * Both builds load the same checkpoint, each in a process of its own that has opened its engine before.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { builtCheckout, OURS, ratio } from './against.js';
import { modelIn } from './model.js';
import { withFolder } from './program.js';
import { median, orSkipped, type Bench, type BenchContext, type Target } from './types.js';

const SCRIPT = fileURLToPath(new URL('loading.ts', import.meta.url));
const NAMES = ['memory: peak of 27 rows / before', 'memory: what loading adds / before'] as const;

const outputSchema = z.object({ bytes: z.number(), seconds: z.number() });

export const memory: Bench = {
  name: 'memory',
  run: (context) => orSkipped(NAMES, () => measureMemory(context)),
};

async function measureMemory({ repeat, log, against, compared }: BenchContext): Promise<Target[]> {
  const other = builtCheckout(against);
  const rounds = await withFolder((folder) => {
    const model = modelIn(folder, log);
    return Array.from({ length: repeat }, (_, round) => {
      const [before, now] = [load(other, model), load(OURS, model)];
      log(
        `memory ${round + 1}/${repeat}: loading adds ${mb(before.bytes)} → ${mb(now.bytes)} MB, ` +
          `in ${before.seconds.toFixed(1)} → ${now.seconds.toFixed(1)} s`,
      );
      return now.bytes / before.bytes;
    });
  });
  return [
    { name: NAMES[0], value: ratio((await compared()).many, 'peakBytes'), limit: 0.65, bound: 'at most' },
    { name: NAMES[1], value: median(rounds), limit: 0.5, bound: 'at most' },
  ];
}

function load(program: string, model: string): z.infer<typeof outputSchema> {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', SCRIPT, program, model],
    { encoding: 'utf8', cwd: program },
  );
  if (status !== 0) throw new Error(`loading with ${program} ended with ${status}:\n${stderr}`);
  return outputSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1)!));
}

const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
