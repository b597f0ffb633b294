/**
 * Known faults of the released code that results were made under on purpose, since the published ones were.
 *
 * Decides which pipelines ran under one, and the footnotes that say so: the same mark in every table. Knows pipelines by
 * their parameters only.
 */
import type { PipelineRow } from './blocks.js';

export interface Fault {
  readonly mark: string;
  readonly text: string;
}

export const FAULTS = {
  pyramid: {
    mark: 'a',
    text: 'PyramidKV as released: where its pyramid does not fit a budget (practically always at 128 and 512), it keeps 90 % of ALL tokens. These rows are not budgets of 128 or 512 tokens; with variant: corrected they would be.',
  },
  think: {
    mark: 'b',
    text: "ThinK as the baseline was run: the newest tokens lose channels as well, which ThinK's own code exempts (recent: 32). With variant: official the baseline is stronger.",
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** The faults that a pipeline ran under. */
export function faultsOf({ params }: Pick<PipelineRow, 'params'>): Fault[] {
  return [
    ...(params['pyramidkv.variant'] === 'released' && params['pyramidkv.budget'] !== undefined
      ? [FAULTS.pyramid]
      : []),
    ...(params['think.variant'] === 'kvpress' ? [FAULTS.think] : []),
  ];
}

/** Each fault of these pipelines once, in the order of the marks. */
export function footnotesOf(rows: readonly Pick<PipelineRow, 'params'>[]): Fault[] {
  const found = new Set(rows.flatMap(faultsOf));
  return Object.values(FAULTS).filter((fault) => found.has(fault));
}

/** The marks of the faults of a pipeline. */
export function faultMarks(row: Pick<PipelineRow, 'params'>): string[] {
  return faultsOf(row).map(({ mark }) => mark);
}
