/**
 * Score against stored bytes, with the Pareto front: what a method really costs, not what its ratio says.
 */
import type { Block } from '../blocks.js';
import { blockName, blockTitle, tasksTitle } from './block-plot.js';
import { framed, seriesScales, WIDTH } from './look.js';
import { paretoFront } from './pareto.js';
import { type Point, pointsOf } from './series.js';
import type { Plot } from './types.js';

/** The plot of a block; undefined where no pipeline of it is complete. */
export function bytesPlot(block: Block): Plot | undefined {
  const { points, gaps } = pointsOf(block);
  if (points.length === 0) return undefined;
  const front = paretoFront(
    points,
    (point) => point.storedShare,
    (point) => point.score,
  );
  const rows = points.map((point) => toRow(point, front.includes(point)));
  const notes = [
    `${tasksTitle(block.tasks)}; the line is the Pareto front: nothing else stores less and scores as much`,
    ...gaps,
  ];
  const title = `Score against stored bytes: ${blockTitle(block)}`;
  const { colour, shape } = seriesScales([...new Set(points.map((point) => point.series))]);
  const x = {
    field: 'stored',
    type: 'quantitative',
    title: 'stored bytes, % of the full cache (masks, signs, scales and positions included)',
  } as const;
  const y = { field: 'score', type: 'quantitative', title: 'score, %', scale: { zero: false } } as const;
  return {
    kind: 'bytes',
    name: blockName('bytes', block),
    title,
    notes,
    series: new Map(rows.map(({ label, series }) => [label, series])),
    spec: {
      ...framed(title, notes),
      width: WIDTH,
      height: 360,
      layer: [
        {
          data: { values: front.map((point) => toRow(point, true)) },
          mark: {
            type: 'line',
            interpolate: 'step-after',
            color: 'currentColor',
            opacity: 0.45,
            aria: false,
          },
          encoding: { x, y },
        },
        {
          data: { values: rows },
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: {
            x,
            y,
            color: { field: 'series', type: 'nominal', title: 'method', scale: colour },
            shape: { field: 'series', type: 'nominal', title: 'method', scale: shape },
            description: { field: 'label', type: 'nominal' },
          },
        },
      ],
    },
  };
}

function toRow({ pipeline, series, storedShare, storedBytes, score }: Point, onFront: boolean) {
  const stored = 100 * storedShare;
  const kib = (storedBytes / 1024).toFixed(1);
  return {
    series,
    stored,
    score,
    label: `${pipeline}: stores ${stored.toFixed(1)} % (${kib} KiB a sample), score ${score.toFixed(2)}${onFront ? ', on the Pareto front' : ''}`,
  };
}
