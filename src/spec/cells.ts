/**
 * The rows of a run: every group under every pipeline, each with the key of all that can change its answer.
 *
 * Decides the order of the rows. The digests are looked up by the caller; nothing is loaded here.
 */
import { cellInfo } from '../results/cell-key.js';
import type { CellInfo } from '../results/types.js';
import type { Pipeline } from '../methods/types.js';
import type { ResolvedSpec, TaskCell } from './types.js';

export interface PlannedCell {
  readonly group: TaskCell;
  readonly pipeline: Pipeline;
  readonly info: CellInfo;
}

export interface SpecDigests {
  /** By model, as the spec names it. */
  readonly models: ReadonlyMap<string, { readonly weightsDigest: string; readonly tokenizerDigest: string }>;
  /** By task. */
  readonly data: ReadonlyMap<string, string>;
  readonly protocol: number;
}

/** Every cell of the spec, group by group, pipelines in the order of the spec. */
export function expandCells(spec: ResolvedSpec, digests: SpecDigests): PlannedCell[] {
  return spec.groups.flatMap((group) =>
    spec.pipelines.map((pipeline) => ({
      group,
      pipeline,
      info: cellInfo(group, pipeline, spec.cacheDtype, {
        ...digests.models.get(group.model)!,
        dataDigest: digests.data.get(group.task)!,
        protocol: digests.protocol,
      }),
    })),
  );
}
