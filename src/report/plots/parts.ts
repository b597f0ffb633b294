/**
 * Stored bytes by what they hold, a bar per pipeline.
 */
import type { SampleRecord } from '../../results/types.js';
import { type Block, isWhole, type PipelineRow, recordsOf } from '../blocks.js';
import { blockName, blockTitle } from './block-plot.js';
import { framed, seriesScales, WIDTH } from './look.js';
import { gapOf } from './series.js';
import type { Plot } from './types.js';

const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'] as const;

/** The plot of a block; undefined where no pipeline of it is complete. */
export function partsPlot(block: Block): Plot | undefined {
  const whole = block.rows.filter((row) => isWhole(row, block.tasks));
  if (whole.length === 0) return undefined;
  const bars = whole.flatMap((row) => barsOf(row, block.tasks));
  const notes = [
    'measured buffers, mean per sample, % of the full cache',
    ...block.rows.filter((row) => !whole.includes(row)).map((row) => gapOf(row, block.tasks)),
  ];
  const title = `Stored bytes by part: ${blockTitle(block)}`;
  return {
    kind: 'parts',
    name: blockName('parts', block),
    title,
    notes,
    series: new Map(bars.map(({ label, part }) => [label, part])),
    spec: {
      ...framed(title, notes),
      width: WIDTH,
      height: { step: 20 },
      data: { values: bars },
      mark: { type: 'bar' },
      encoding: {
        y: { field: 'pipeline', type: 'nominal', title: null, sort: null, axis: { labelLimit: 600 } },
        x: { field: 'share', type: 'quantitative', title: 'bytes, % of the full cache', stack: 'zero' },
        color: { field: 'part', type: 'nominal', title: 'part', scale: seriesScales(PARTS).colour },
        order: { field: 'order', type: 'quantitative' },
        description: { field: 'label', type: 'nominal' },
      },
    },
  };
}

function barsOf(row: PipelineRow, tasks: readonly string[]) {
  const records = recordsOf(row, tasks);
  const sum = (of: (record: SampleRecord) => number): number =>
    records.reduce((total, r) => total + of(r), 0);
  const full = sum(({ fullBytes }) => fullBytes);
  return PARTS.flatMap((part, order) => {
    const bytes = sum(({ storedBytes }) => storedBytes[part]);
    if (bytes === 0 || full === 0) return [];
    const share = (100 * bytes) / full;
    const kib = (bytes / records.length / 1024).toFixed(1);
    return [
      {
        pipeline: row.pipeline,
        part,
        order,
        share,
        label: `${row.pipeline}: ${part} ${share.toFixed(1)} %, ${kib} KiB`,
      },
    ];
  });
}
