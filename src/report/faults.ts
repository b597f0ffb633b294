/**
 * Known faults of the released code that results were made under on purpose, since the published ones were.
 *
 * Some published numbers were made under a fault of the released code; a footnote says which rows run under it, too.
 */
import type { CellInfo, SampleRecord } from '../results/types.js';
import { type PipelineRow, recordsOf } from './blocks.js';

export interface Fault {
  readonly mark: string;
  readonly text: string;
}

export const FAULTS = {
  pyramid: {
    mark: 'a',
    text: 'PyramidKV as released: where its pyramid does not fit a budget (practically always at 128 and 512), it keeps 90 % of ALL tokens. These rows do not keep the budget that they name; with variant: corrected they would.',
  },
  think: {
    mark: 'b',
    text: "ThinK as the baseline was run: the newest tokens lose channels as well, which ThinK's own code exempts (recent: 32). With variant: official the baseline is stronger.",
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** Share of the prompt above which a pyramid has fallen back to 90 %: whole tokens may be a little less. */
const FALLEN_BACK = 0.89;

/**
 * The faults that a pipeline ran under.
 *
 * @param params of its steps, `method.param`
 * @param records of any number of samples: whether a pyramid did not fit shows in the tokens that it kept
 */
export function faultsOf(params: CellInfo['params'], records: readonly SampleRecord[]): Fault[] {
  const pyramid = params['pyramidkv.variant'] === 'released' && params['pyramidkv.budget'] !== undefined;
  const fellBack = records.some(({ keptTokens, promptTokens }) => keptTokens > FALLEN_BACK * promptTokens);
  return [
    ...(pyramid && fellBack ? [FAULTS.pyramid] : []),
    ...(params['think.variant'] === 'kvpress' ? [FAULTS.think] : []),
  ];
}

/** The faults of a pipeline of a block. */
export function rowFaults(row: PipelineRow): Fault[] {
  return faultsOf(row.params, recordsOf(row, [...row.cells.keys()]));
}

/** Each of these faults once, in the order of the marks. */
export function footnotesOf(faults: readonly Fault[]): Fault[] {
  return Object.values(FAULTS).filter(({ mark }) => faults.some((fault) => fault.mark === mark));
}
