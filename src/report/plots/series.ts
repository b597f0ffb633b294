/**
 * Pipelines as points of a plot: what each removes, stores and scores, and to which series it belongs.
 *
 * Pipelines that differ in nothing but the amount that they remove are one series.
 */
import { storedBytes } from '../../results/memory.js';
import type { SampleRecord } from '../../results/types.js';
import { type Block, countOf, type PipelineRow, recordsOf, scoresOf, storedShare } from '../blocks.js';
import { interval95, stratifiedMean } from '../statistics/strata.js';

export interface Point {
  readonly pipeline: string;
  /** Name of the pipelines that differ only in how much they remove. */
  readonly series: string;
  /** In [0, 1]; undefined where the pipeline has nothing of the kind. */
  readonly removed: number | undefined;
  /** Percent, tasks weighing the same. */
  readonly score: number;
  /** 95 %, within [0, 100]. */
  readonly interval: readonly [number, number];
  /** Σ stored / Σ full. */
  readonly storedShare: number;
  /** Mean per sample. */
  readonly storedBytes: number;
}

export interface Points {
  readonly points: readonly Point[];
  /** A sentence for every pipeline that cannot be shown: samples are missing. */
  readonly gaps: readonly string[];
}

/** The complete pipelines of a block; an average over fewer samples than were asked for is never a point. */
export function pointsOf(block: Block): Points {
  const points: Point[] = [];
  const gaps: string[] = [];
  for (const row of block.rows) {
    const scores = scoresOf(row, block.tasks);
    const share = storedShare(row, block.tasks);
    if (scores === undefined || share === undefined) {
      gaps.push(gapOf(row, block.tasks));
      continue;
    }
    const records = recordsOf(row, block.tasks);
    points.push({
      pipeline: row.pipeline,
      series: seriesOf(row),
      removed: removedBy(row, records),
      score: stratifiedMean(scores),
      interval: interval95(scores),
      storedShare: share,
      storedBytes: records.reduce((sum, record) => sum + storedBytes(record), 0) / records.length,
    });
  }
  return { points, gaps };
}

/** `Not shown: spark(ratio=0.8), 3 of 8 samples are there.` */
export function gapOf(row: PipelineRow, tasks: readonly string[]): string {
  const absent = tasks.filter((task) => !row.cells.has(task));
  const { done, asked } = countOf(row, tasks);
  const found =
    absent.length > 0 ? `no cell for ${absent.join(', ')}` : `${done} of ${asked} samples are there`;
  return `Not shown: ${row.pipeline}, ${found}.`;
}

/** The last parameter that says how much is removed (`ratio`) or stays (`budget`). */
function amountOf({
  params,
}: PipelineRow): { readonly name: 'ratio' | 'budget'; readonly value: number } | undefined {
  for (const [key, value] of Object.entries(params).reverse()) {
    const name = key.slice(key.lastIndexOf('.') + 1);
    if ((name === 'ratio' || name === 'budget') && typeof value === 'number') return { name, value };
  }
  return undefined;
}

function removedBy(row: PipelineRow, records: readonly SampleRecord[]): number | undefined {
  const amount = amountOf(row);
  if (amount?.name === 'ratio') return amount.value;
  if (amount === undefined) return undefined;
  const sum = (of: (record: SampleRecord) => number): number =>
    records.reduce((total, r) => total + of(r), 0);
  const prompt = sum(({ promptTokens }) => promptTokens);
  return prompt === 0 ? undefined : Math.max(0, 1 - sum(({ keptTokens }) => keptTokens) / prompt);
}

/** The label without its last amount: `snapkv(budget=64)+spark(ratio=0.8)` → `snapkv(budget=64)+spark`. */
function seriesOf(row: PipelineRow): string {
  const amount = amountOf(row);
  if (amount === undefined) return row.pipeline;
  const written = `${amount.name}=${JSON.stringify(amount.value)}`;
  const at = row.pipeline.lastIndexOf(written);
  if (at < 0) return row.pipeline;
  const cut = row.pipeline.slice(0, at) + row.pipeline.slice(at + written.length);
  return cut.replace('()', '').replace('(,', '(').replace(',)', ')').replace(',,', ',');
}
