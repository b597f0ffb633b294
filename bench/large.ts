/**
 * `npm run bench -- --only large`: a model of Llama-3-8B's shape from a Q4_K file, in 16 GiB.
 *
 * The program itself runs a sample of 2,048 tokens under five pipelines on the native engine; the weights are drawn, as they
 * weigh and cost what real ones do. It takes minutes and 4.6 GB of disk, so it runs only when it is asked for.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleRecord } from '../src/results/types.js';
import { secondsOf, withFolder } from './program.js';
import { writeRandomGguf } from './random-gguf.js';
import type { Bench, Target } from './types.js';

const GIB = 2 ** 30;
const LIMIT_GIB = 16;

export const large: Bench = {
  name: 'large',
  onlyAsked: true,
  run: ({ log }) =>
    withFolder((folder) => {
      const model = join(folder, 'model.gguf');
      log('large: writes a model of 8 · 10⁹ weights');
      writeRandomGguf(model);
      const spec = join(folder, 'large.json');
      writeFileSync(spec, JSON.stringify(specOf(model)));
      const output = join(folder, 'out');
      const took = secondsOf(['run', spec, '--engine', 'native', '--output', output, '--progress', 'none']);
      const records = readFileSync(join(output, 'journal.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as SampleRecord);
      const [{ prefillSeconds, decodeSeconds, generatedTokens, promptTokens }] = records as [SampleRecord];
      const compress = records.reduce((sum, { compressSeconds }) => sum + compressSeconds, 0);
      const peak = Math.max(...records.map(({ peakRssBytes }) => peakRssBytes));
      log(
        `large: ${promptTokens} tokens, ${records.length} pipelines: prefill ${prefillSeconds.toFixed(0)} s, ` +
          `compressing ${compress.toFixed(0)} s, decoding ${generatedTokens} tokens ${decodeSeconds.toFixed(0)} s; ` +
          `${took.toFixed(0)} s with loading; peak memory ${(peak / GIB).toFixed(1)} GiB`,
      );
      const target: Target = {
        ...{ name: '8B-shaped sample under 5 pipelines, peak memory, GiB', value: peak / GIB },
        ...{ limit: LIMIT_GIB, bound: 'at most' },
      };
      return [target];
    }),
};

function specOf(model: string): unknown {
  const [snapkv, spark, think] = [
    { snapkv: { budget: 512 } },
    { spark: { ratio: 0.8 } },
    { think: { ratio: 0.5 } },
  ];
  return {
    ...{ name: 'large', model, tasks: ['ruler/niah_single_1'], context: 2048, samples: 1, seed: 1 },
    cache: ['full', snapkv, spark, [snapkv, spark], think],
    output: 'out',
  };
}
