/**
 * Target 6: the wasm engine, one worker and two.
 *
 * Compared are a prefill of SmolLM2 in this process, and how many samples of the quickstart a minute one worker and two
 * finish once they are under way: what a long run takes more than a short one. Starting a worker, loading weights and
 * compiling code fall out of that difference, as they are no part of any sample; both seconds are printed too.
 */
import { join } from 'node:path';
import { prefill } from '../src/model/prefill.js';
import { drawnIds, modelIn, openModel, prefillOperations } from './model.js';
import { secondsOf, withFolder } from './program.js';
import { median, seconds, type Bench, type BenchContext, type Target } from './types.js';

const TOKENS = 1024;
/** Of each task and context, in a short run and in a long one. */
const SAMPLES = [2, 12];
const RUN = ['run', 'experiments/quickstart.yaml', '--engine', 'wasm', '--progress', 'none'];

export const wasm: Bench = {
  name: 'wasm',
  run: async (context) => [...(await prefillRate(context)), ...(await workers(context))],
};

async function prefillRate({ repeat, log }: BenchContext): Promise<Target[]> {
  return withFolder(async (folder) => {
    const { files, model } = await openModel('wasm', modelIn(folder, log));
    const ids = drawnIds(model.config, TOKENS);
    const times = [];
    for (let r = 0; r <= repeat; r++) {
      times.push(await seconds(() => prefill(model, { ids, observations: [], onLayer: () => undefined })));
    }
    model.dispose();
    files.weights.close();
    const value = prefillOperations(model.config, TOKENS) / median(times.slice(1)) / 1e9;
    return [{ name: '6 wasm prefill, GFLOP/s', value, limit: 25, bound: 'at least' }];
  });
}

async function workers({ repeat, log }: BenchContext): Promise<Target[]> {
  const rounds = await withFolder((folder) =>
    Array.from({ length: repeat }, (_, r) => {
      const run = (count: number, samples: number): number =>
        secondsOf([
          ...RUN,
          ...['--workers', String(count), '--set', `samples=${samples}`],
          ...['--set', `output=${join(folder, `${count}-${samples}-${r}`)}`],
        ]);
      const [one, two] = [1, 2].map((count) => SAMPLES.map((samples) => run(count, samples)));
      const show = (times: readonly number[]): string => times.map((time) => time.toFixed(1)).join(' and ');
      log(
        `wasm ${r + 1}/${repeat}: ${SAMPLES.join(' and ')} samples of a group take ` +
          `1 worker ${show(one!)} s, 2 workers ${show(two!)} s`,
      );
      return more(one!) / more(two!);
    }),
  );
  return [
    { name: '6 samples per minute, 2 workers / 1', value: median(rounds), limit: 1.8, bound: 'at least' },
  ];
}

/** What the longer of two runs takes more. */
function more(times: readonly number[]): number {
  return times[1]! - times[0]!;
}
