/**
 * Target 6: the wasm engine, one worker and two.
 *
 * Decides what is compared: a prefill of SmolLM2 in this process, and the wall clock of the same run of the embedded
 * model with one worker and with two. Starting a worker and loading its weights count.
 */
import { join } from 'node:path';
import { prefill } from '../src/model/prefill.js';
import { drawnIds, openModel, prefillOperations } from './model.js';
import { secondsOf, withFolder } from './program.js';
import { median, seconds, Skip, type Bench, type BenchContext, type Target } from './types.js';

const TOKENS = 1024;
const RUN = ['run', 'experiments/quickstart.yaml', '--engine', 'wasm', '--progress', 'none'];

export const wasm: Bench = {
  name: 'wasm',
  run: async (context) => [...(await prefillRate(context)), ...(await workers(context))],
};

async function prefillRate({ repeat, log }: BenchContext): Promise<Target[]> {
  try {
    const { files, model } = await openModel('wasm');
    const ids = drawnIds(model.config, TOKENS);
    const times = [];
    for (let r = 0; r <= repeat; r++) {
      times.push(await seconds(() => prefill(model, { ids, observations: [], onLayer: () => undefined })));
    }
    model.dispose();
    files.weights.close();
    const value = prefillOperations(model.config, TOKENS) / median(times.slice(1)) / 1e9;
    return [{ name: '6 wasm prefill, GFLOP/s', value, limit: 25, bound: 'at least' }];
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log(`wasm: prefill is skipped: ${error.message}`);
    return [];
  }
}

async function workers({ repeat, log }: BenchContext): Promise<Target[]> {
  const value = await withFolder((folder) => {
    const run = (count: number, r: number): number =>
      secondsOf([...RUN, '--workers', String(count), '--set', `output=${join(folder, `${count}-${r}`)}`]);
    const rounds = Array.from({ length: repeat }, (_, r) => {
      const [one, two] = [run(1, r), run(2, r)];
      log(`wasm ${r + 1}/${repeat}: 1 worker ${one.toFixed(1)} s, 2 workers ${two.toFixed(1)} s`);
      return one / two;
    });
    return median(rounds);
  });
  return [{ name: '6 samples per minute, 2 workers / 1', value, limit: 1.8, bound: 'at least' }];
}
