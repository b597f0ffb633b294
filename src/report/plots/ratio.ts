/**
 * Score against the ratio removed, a line per method, with `full` as a dashed rule.
 */
import { type Block, FULL } from '../blocks.js';
import { blockName, blockTitle, tasksTitle } from './block-plot.js';
import { framed, seriesScales, WIDTH } from './look.js';
import { type Point, pointsOf } from './series.js';
import type { Plot } from './types.js';

/** The plot of a block; undefined where no pipeline of it has a ratio. */
export function ratioPlot(block: Block): Plot | undefined {
  const { points, gaps } = pointsOf(block);
  const shown = points.filter((point) => point.removed !== undefined && point.pipeline !== FULL);
  if (shown.length === 0) return undefined;
  const without = points.filter((point) => point.removed === undefined && point.pipeline !== FULL);
  const full = points.find(({ pipeline }) => pipeline === FULL);
  const notes = [
    `${tasksTitle(block.tasks)}; bars are 95 % intervals over samples${full === undefined ? '' : '; dashed: full'}`,
    ...(without.length === 0
      ? []
      : [`Without a ratio: ${without.map(({ pipeline }) => pipeline).join(', ')}.`]),
    ...gaps,
  ];
  const title = `Score against ratio: ${blockTitle(block)}`;
  const series = [...new Set(shown.map((point) => point.series))];
  const { colour, shape } = seriesScales(series);
  const rows = shown.map(toRow);
  const data = { values: rows };
  const x = {
    field: 'removed',
    type: 'quantitative',
    title: 'ratio removed by the last step, of tokens or of channels',
    scale: { domain: [0, 1] as [number, number] },
  } as const;
  const y = { field: 'score', type: 'quantitative', title: 'score, %', scale: { zero: false } } as const;
  const color = {
    field: 'series',
    type: 'nominal',
    title: 'method',
    scale: colour,
    legend: { symbolOpacity: 1 },
  } as const;
  return {
    kind: 'ratio',
    name: blockName('ratio', block),
    title,
    notes,
    series: new Map(
      rows.flatMap(({ label, spread, series }) =>
        [label, spread, series].map((name) => [name, series] as const),
      ),
    ),
    spec: {
      ...framed(title, notes),
      width: WIDTH,
      height: 320,
      layer: [
        ...(full === undefined
          ? []
          : [
              {
                data: { values: [{ score: full.score, label: `${FULL}: score ${full.score.toFixed(2)}` }] },
                mark: { type: 'rule' as const, strokeDash: [5, 4], color: 'currentColor', opacity: 0.7 },
                encoding: { y, description: { field: 'label', type: 'nominal' as const } },
              },
            ]),
        {
          data,
          mark: { type: 'line' },
          encoding: { x, y, color, description: { field: 'series', type: 'nominal' } },
        },
        {
          data,
          mark: { type: 'rule', opacity: 0.5 },
          encoding: {
            x,
            y: { ...y, field: 'low' },
            y2: { field: 'high' },
            color,
            description: { field: 'spread', type: 'nominal' },
          },
        },
        {
          data,
          mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          encoding: {
            x,
            y,
            color,
            shape: { field: 'series', type: 'nominal', title: 'method', scale: shape },
            description: { field: 'label', type: 'nominal' },
          },
        },
      ],
    },
  };
}

function toRow({ pipeline, series, removed, score, interval: [low, high] }: Point) {
  return {
    series,
    removed,
    score,
    low,
    high,
    label: `${pipeline}: ratio ${removed!.toFixed(2)}, score ${score.toFixed(2)}`,
    spread: `${pipeline}: 95 % interval from ${low.toFixed(2)} to ${high.toFixed(2)}`,
  };
}
