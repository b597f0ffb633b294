// Runs a spec from a program, and reads what came out: node run.mjs
import { loadSpec, readResults, runSpec } from 'spark-eval';

const spec = await loadSpec({
  spec: {
    name: 'from-a-program',
    model: 'spark-nano',
    tasks: ['ruler/niah_single_1'],
    context: 512,
    samples: 2,
    cache: ['full', { spark: { ratio: [0.5, 0.8] } }],
  },
});
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const { complete } = await runSpec(spec, {
  engine: 'wasm',
  signal: stop.signal,
  progress: { tick: (n, sample) => console.error(`${n} more results of ${sample}`) },
});
if (!complete) process.exit(130); // what is finished is kept; run it again

for (const { pipeline, score_percent, lost, stored_share } of readResults(spec.output).rows) {
  console.log(pipeline, score_percent, lost, stored_share);
}
