/**
 * How fast one pipeline is when its row runs alone: the same prompt, again and again, and a fixed number of tokens behind it.
 *
 * End tokens do not end it, so that every pipeline decodes the same number of tokens, whatever it would answer.
 */
import { UserError } from '../../base/errors.js';
import type { Latency, LatencySettings } from '../../results/latency.js';
import { median } from '../../results/statistics.js';
import { runSample, type SampleRun } from './run-sample.js';

/**
 * Seconds of every round that counts; undefined where the pipeline cannot be applied to the prompt.
 *
 * @param run its only pipeline
 */
export async function measureRow(
  run: Omit<SampleRun, 'maxNewTokens' | 'stopIds' | 'onPhase'>,
  { tokens, warmup, repeats }: LatencySettings,
): Promise<Latency | undefined> {
  const measured = { prefill: [] as number[], compression: [] as number[], token: [] as number[] };
  for (let round = 0; round < warmup + repeats; round++) {
    const ends: number[] = [];
    const { pipelines, prefillSeconds } = await runSample({
      ...run,
      // the first comes with the suffix
      maxNewTokens: tokens + 1,
      stopIds: [],
      onPhase: (phase) => {
        if (phase === 'decode') ends.push(performance.now());
      },
    });
    const [result] = pipelines;
    if (result === undefined || result instanceof UserError) return undefined;
    if (round < warmup) continue;
    measured.prefill.push(prefillSeconds);
    measured.compression.push(result.compressSeconds);
    measured.token.push(median(ends.slice(1).map((end, token) => (end - ends[token]!) / 1000)));
  }
  return { promptTokens: run.segments.contextIds.length, ...measured };
}
