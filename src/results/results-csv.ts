/**
 * results.csv: all that is known of each cell in one row, ready for a data frame.
 *
 * accuracy.csv and memory.csv keep the columns that they always had; here is one unit, one sign and one table for both.
 */
import { stringify } from 'csv-stringify/sync';
import { sumBytes } from '../cache/bytes.js';
import { type CellResult, isFull, scorePercent } from './cell-results.js';
import { csvText, type CsvValue } from './csv.js';
import { scoreInterval } from './interval.js';
import { mean, signFlipPValue, standardError } from './statistics.js';
import type { CellInfo, Manifest, SampleRecord } from './types.js';

const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'] as const;

type Column = readonly [name: string, of: (result: CellResult, manifest: Manifest) => CsvValue];

const perSample = (of: (record: SampleRecord) => number): Column[1] => {
  return ({ records }) => (records.length === 0 ? undefined : mean(records.map(of)));
};

/** Sum over sum; undefined where there is nothing to divide by. */
const share = (
  over: (record: SampleRecord) => number,
  under: (record: SampleRecord) => number,
): Column[1] => {
  return ({ records }) => {
    const divisor = records.reduce((total, record) => total + under(record), 0);
    return divisor === 0 ? undefined : records.reduce((total, record) => total + over(record), 0) / divisor;
  };
};

const modelDigest = (digest: 'weightsDigest' | 'tokenizerDigest' | 'configDigest'): Column[1] => {
  return ({ cell }, { models }) => models.find(({ name }) => name === cell.model)?.[digest];
};

/** Before the parameters. */
const NAMES: readonly Column[] = [
  ['cell', ({ cell }) => cell.key],
  ['model', ({ cell }) => cell.model],
  ['task', ({ cell }) => cell.task],
  ['context', ({ cell }) => cell.context],
  ['seed', ({ cell }) => cell.seed],
  ['question', ({ cell }) => cell.question],
  ['pipeline', ({ cell }) => cell.pipeline],
];

/** Behind the parameters. */
const MEASURED: readonly Column[] = [
  ['samples_asked', ({ cell }) => cell.samples],
  ['samples', ({ records }) => records.length],
  ['truncated', ({ records }) => records.filter(({ truncated }) => truncated).length],
  ['inapplicable', ({ inapplicable }) => inapplicable.length],
  ['score_percent', ({ records }) => scorePercent(records)],
  ['stderr_points', ({ records }) => standardError(percentOf(records))],
  ['ci95_low_percent', ({ records }) => bound(records, 0)],
  ['ci95_high_percent', ({ records }) => bound(records, 1)],
  ['pairs', (result) => (isFull(result.cell) ? undefined : (result.paired?.length ?? 0))],
  ['full_score_percent', fullScore],
  ['lost', lost],
  ['lost_relative_percent', relativeLoss],
  ['p_sign_flip', pValue],
  ['prompt_tokens', perSample(({ promptTokens }) => promptTokens)],
  ['kept_tokens', perSample(({ keptTokens }) => keptTokens)],
  [
    'kept_share',
    share(
      ({ keptTokens }) => keptTokens,
      ({ promptTokens }) => promptTokens,
    ),
  ],
  ['full_bytes', perSample(({ fullBytes }) => fullBytes)],
  ['stored_bytes', perSample(({ storedBytes }) => sumBytes(storedBytes))],
  ...PARTS.map((part): Column => [`${part}_bytes`, perSample(({ storedBytes }) => storedBytes[part])]),
  [
    'stored_share',
    share(
      ({ storedBytes }) => sumBytes(storedBytes),
      ({ fullBytes }) => fullBytes,
    ),
  ],
  [
    'paper_share',
    share(
      ({ paperBytes }) => paperBytes,
      ({ fullBytes }) => fullBytes,
    ),
  ],
  ['engine', (_, { engine }) => engine.name],
  ['version', (_, { version }) => version],
  ['weights_digest', modelDigest('weightsDigest')],
  ['tokenizer_digest', modelDigest('tokenizerDigest')],
  ['config_digest', modelDigest('configDigest')],
  ['data_digest', ({ cell }, manifest) => dataDigest(cell, manifest)],
];

/**
 * The bytes of results.csv: a row per cell, in the order of the spec, and in each field one value or nothing.
 *
 * Columns, in this order:
 * - `cell` (its key in the journal), `model`, `task`, `context` (tokens), `seed`, `question`, `pipeline`;
 * - every parameter that any cell has, by name: `max_context`, `task.NAME`, `METHOD.NAME` (`METHOD#2.NAME` where a
 *   pipeline has the method twice);
 * - `samples_asked`, `samples` (that are there), `truncated` (of these), `inapplicable` (that the pipeline cannot be applied
 *   to);
 * - `score_percent` (0 to 100), `stderr_points`, `ci95_low_percent`, `ci95_high_percent` (`scoreInterval`);
 * - against `full`, on the `pairs` samples that both have: `full_score_percent`, `lost` (points; positive = worse than
 *   full), `lost_relative_percent` (of full's score), `p_sign_flip` (two-sided, paired, not corrected for the number of
 *   comparisons); nothing for `full` itself, which is compared with nothing;
 * - means per sample: `prompt_tokens`, `kept_tokens`, and of all samples together `kept_share` (0 to 1);
 * - bytes, means per sample: `full_bytes` (the whole prompt uncompressed), `stored_bytes`, and of these `value_bytes`,
 *   `mask_bytes`, `sign_bytes`, `scale_bytes`, `index_bytes`, `latent_bytes`, keys and values together;
 *   `stored_share` and `paper_share` (stored, or what the papers count as stored, over full; 0 to 1);
 * - `engine`, `version` (of spark-eval), `weights_digest`, `tokenizer_digest`, `config_digest`, `data_digest`.
 */
export function resultsCsv(results: readonly CellResult[], manifest: Manifest): string {
  const columns = columnsOf(results);
  const rows = results.map((result) => columns.map(([, of]) => csvText(of(result, manifest))));
  return stringify([columns.map(([name]) => name), ...rows], { record_delimiter: 'unix' });
}

/** The rows of results.csv by the names of its columns; null for what is not known. */
export function resultRows(
  results: readonly CellResult[],
  manifest: Manifest,
): Record<string, string | number | boolean | null>[] {
  const columns = columnsOf(results);
  return results.map((result) =>
    Object.fromEntries(columns.map(([name, of]) => [name, of(result, manifest) ?? null])),
  );
}

function columnsOf(results: readonly CellResult[]): readonly Column[] {
  const params = [...new Set(results.flatMap(({ cell }) => Object.keys(cell.params)))].sort();
  return [...NAMES, ...params.map((name): Column => [name, ({ cell }) => cell.params[name]]), ...MEASURED];
}

function percentOf(records: readonly SampleRecord[]): number[] {
  return records.map(({ score }) => 100 * score);
}

function bound(records: readonly SampleRecord[], index: 0 | 1): number | undefined {
  const value = scoreInterval(records.map(({ score }) => score))?.[index];
  return value === undefined ? undefined : 100 * value;
}

function fullScore({ paired }: CellResult): number | undefined {
  return paired && scorePercent(paired.map(({ full }) => full));
}

function lost(result: CellResult): number | undefined {
  const full = fullScore(result);
  return full === undefined ? undefined : full - scorePercent(result.paired!.map(({ own }) => own))!;
}

function relativeLoss(result: CellResult): number | undefined {
  const full = fullScore(result);
  return full === undefined || full === 0 ? undefined : (100 * lost(result)!) / full;
}

function pValue({ paired }: CellResult): number | undefined {
  return paired && signFlipPValue(paired.map(({ own, full }) => own.score - full.score));
}

/** As the cell has it; in manifests of earlier versions the task's, where that is one. */
function dataDigest({ task, dataDigest }: CellInfo, { data }: Manifest): string | undefined {
  const digests = data.filter((entry) => entry.task === task).map(({ digest }) => digest);
  return dataDigest ?? (digests.length === 1 ? digests[0] : undefined);
}
