/**
 * Needle heat maps: score by depth and context length, a map per pipeline.
 *
 * Cells whose task differs in anything but depth are on maps of their own; a square with missing samples stays empty.
 */
import { type CellResult, scorePercent } from '../../results/cell-results.js';
import { mean } from '../../results/statistics.js';
import { askedOf } from '../blocks.js';
import { groupBy } from '../group-by.js';
import { slug } from './block-plot.js';
import { framed } from './look.js';
import type { Plot } from './types.js';

const TASK = 'task.';
const DEPTH = `${TASK}depth`;
const COLUMNS = 3;

/** A plot for every model, task with its parameters and way to ask; none where no task has a depth. */
export function needlePlots(results: readonly CellResult[]): Plot[] {
  const tasks = groupBy(
    results.filter(({ cell }) => typeof cell.params[DEPTH] === 'number'),
    ({ cell: { model, task, question } }) => JSON.stringify([model, task, question]),
  );
  return [...tasks.values()].flatMap((cells) => {
    const maps = [...groupBy(cells, (result) => JSON.stringify(variantOf(result))).values()];
    const shared = variantOf(cells[0]!).filter((parameter) =>
      maps.every(([result]) => variantOf(result!).includes(parameter)),
    );
    return maps.map((map) =>
      needlePlot(
        map,
        variantOf(map[0]!).filter((parameter) => !shared.includes(parameter)),
      ),
    );
  });
}

/** The task's parameters but the depth, in words. */
function variantOf({ cell }: CellResult): string[] {
  return Object.entries(cell.params)
    .filter(([name]) => name.startsWith(TASK) && name !== DEPTH)
    .map(([name, value]) => `${name.slice(TASK.length)}=${String(value)}`)
    .sort();
}

/** @param variant what tells this map from others of the same task */
function needlePlot(results: readonly CellResult[], variant: readonly string[]): Plot {
  const { model, task, question } = results[0]!.cell;
  const squares = squaresOf(results);
  const missing = squares.filter(({ score }) => score === null).length;
  const shown = variant.length === 0 ? task : `${task}(${variant.join(',')})`;
  const title = `${shown} by depth and length: ${model}${question === 'appended' ? ' · question appended' : ''}`;
  const notes =
    missing === 0 ? [] : [`${missing} of ${squares.length} squares are empty: samples are missing.`];
  const x = { field: 'context', type: 'ordinal', title: 'context, tokens', axis: { labelAngle: 0 } } as const;
  const y = { field: 'depth', type: 'ordinal', title: 'depth, %' } as const;
  return {
    kind: 'needle',
    name: slug('needle', shown, model, question === 'appended' ? question : ''),
    title,
    notes,
    series: new Map(),
    spec: {
      ...framed(title, notes),
      data: { values: squares },
      columns: COLUMNS,
      facet: {
        field: 'pipeline',
        type: 'nominal',
        title: null,
        sort: [...new Set(squares.map(({ pipeline }) => pipeline))],
      },
      spec: {
        width: { step: 44 },
        height: { step: 24 },
        encoding: { x, y },
        layer: [
          {
            mark: { type: 'rect', stroke: 'currentColor', strokeOpacity: 0.2 },
            encoding: {
              color: {
                field: 'score',
                type: 'quantitative',
                title: 'score, %',
                scale: { domain: [0, 100], scheme: 'viridis' },
                condition: { test: '!isValid(datum.score)', value: 'transparent' },
              },
              description: { field: 'label', type: 'nominal' },
            },
          },
          {
            mark: { type: 'text', fontSize: 10, aria: false },
            encoding: {
              text: { field: 'text', type: 'nominal' },
              color: {
                condition: [
                  { test: '!isValid(datum.score)', value: 'currentColor' },
                  { test: 'datum.score < 60', value: 'white' },
                ],
                value: 'black',
              },
            },
          },
        ],
      },
    },
  };
}

/** A square for every place that any pipeline was asked for. Cells of the same pipeline, depth and context (seeds) weigh the same. */
function squaresOf(results: readonly CellResult[]) {
  const places = groupBy(results, ({ cell: { context, params } }) =>
    JSON.stringify([context, params[DEPTH]]),
  );
  const pipelines = [...new Set(results.map(({ cell }) => cell.pipeline))];
  return [...places.values()].flatMap((place) => {
    const { context, params } = place[0]!.cell;
    const depth = params[DEPTH] as number;
    const asked = [...askedOf(place).values()].flatMap((cells) => [...cells.values()]);
    return pipelines.map((pipeline) => {
      const cells = place.filter(({ cell }) => cell.pipeline === pipeline);
      const done = sum(cells.map(({ records }) => records.length));
      const wanted = sum(asked) - sum(cells.map(({ inapplicable }) => inapplicable.length));
      const scores = cells.flatMap(({ records }) => scorePercent(records) ?? []);
      const score = done === wanted && scores.length === cells.length ? mean(scores) : null;
      const found = score === null ? `${done} of ${sum(asked)} samples` : `score ${score.toFixed(1)}`;
      return {
        pipeline,
        context,
        depth,
        score,
        text: score === null ? '–' : score.toFixed(0),
        label: `${pipeline}: context ${context}, depth ${depth} %, ${found}`,
      };
    });
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
