/**
 * How every plot looks.
 *
 * Text and rules take the colour of the page around them, so that one picture serves light and dark pages.
 */
import type { Config } from 'vega-lite';
import type { PlotSpec } from './types.js';

const FONT = 'system-ui, "DejaVu Sans", Arial, sans-serif';
const INK = 'currentColor';

/** Width of a plot's drawing area, pixels. */
export const WIDTH = 560;

/** Tableau's ten, which can be read on white and on near-black. */
const COLOURS = [
  '#4c78a8',
  '#f58518',
  '#e45756',
  '#3f9f98',
  '#54a24b',
  '#b79a20',
  '#b279a2',
  '#d66a83',
  '#9d755d',
  '#7f7a76',
] as const;

const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
] as const;

export const LOOK: Config = {
  font: FONT,
  background: 'transparent',
  view: { stroke: null },
  title: { color: INK, subtitleColor: INK, anchor: 'start', fontSize: 14, subtitleFontSize: 11, offset: 12 },
  axis: {
    labelColor: INK,
    titleColor: INK,
    tickColor: INK,
    domainColor: INK,
    gridColor: INK,
    gridOpacity: 0.12,
    titleFontWeight: 'normal',
    labelLimit: 320,
  },
  legend: { labelColor: INK, titleColor: INK, labelLimit: 320, columns: 1, symbolLimit: 0 },
  header: { labelColor: INK, titleColor: INK, labelLimit: 320 },
};

/** Colours and shapes by series, in their order: the same series look the same in every plot of a report. */
export function seriesScales(series: readonly string[]): {
  readonly colour: { readonly domain: string[]; readonly range: string[] };
  readonly shape: { readonly domain: string[]; readonly range: string[] };
} {
  const pick = (list: readonly string[]): string[] => series.map((_, index) => list[index % list.length]!);
  return {
    colour: { domain: [...series], range: pick(COLOURS) },
    shape: { domain: [...series], range: pick(SHAPES) },
  };
}

/** Fields that every plot has alike. */
export function framed(
  title: string,
  notes: readonly string[],
): Pick<PlotSpec, '$schema' | 'title' | 'config' | 'padding'> {
  return {
    title: { text: title, ...(notes.length === 0 ? {} : { subtitle: [...notes] }) },
    config: LOOK,
    padding: 12,
  };
}
