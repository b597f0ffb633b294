/**
 * What a plot is: a specification and the name of its file.
 *
 * A vega-lite specification with its data inside, so that a plot can be tested without being drawn.
 */
import type { TopLevelSpec } from 'vega-lite';

/** A specification that brings its data and refers to nothing outside it. */
export type PlotSpec = TopLevelSpec;

export interface Plot {
  readonly kind: PlotKind;
  /** File name without its ending; different for every plot of one set of results. */
  readonly name: string;
  /** What is plotted, in words: the title of the picture and of its panel in the report. */
  readonly title: string;
  /** What is missing, left out or to be known when reading it; each a sentence. */
  readonly notes: readonly string[];
  /** Series of every mark, by the mark's description (`aria-label` in the SVG): what a reader may hide and show. */
  readonly series: ReadonlyMap<string, string>;
  readonly spec: PlotSpec;
}

/** Plots of result folders, in the order in which they are shown. */
export const RESULT_KINDS = ['ratio', 'bytes', 'parts', 'needle'] as const;

export type ResultKind = (typeof RESULT_KINDS)[number];

export type PlotKind = ResultKind | 'saliency';
