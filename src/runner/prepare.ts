/**
 * From a resolved spec to a run that can begin: models and tasks open, cells keyed.
 *
 * Whoever computes a spec, on this machine or as a worker of a queue, goes through here, so that all refuse the same and
 * have the same keys. What of it can be known without reading weights is `refusals.ts`.
 */
import type { ModelFiles } from '../checkpoint/types.js';
import { type CellGroup, groupCells } from '../experiment/cells.js';
import { TaskOpener } from '../experiment/task-opener.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { CellInfo, ModelRecord } from '../results/types.js';
import { modelRecord } from './model-record.js';
import { openModels } from './models.js';

/** A spec whose models and tasks are open. No engine is. */
export interface PreparedRun {
  readonly spec: ResolvedSpec;
  /** By the name that the spec gives them, in its order. */
  readonly models: ReadonlyMap<string, ModelFiles>;
  /** What the manifest keeps of each of them. */
  readonly records: readonly ModelRecord[];
  /** Opens further tasks; what has been read already is not read again. */
  readonly opener: TaskOpener;
  /** In the order of the spec. */
  readonly groups: readonly CellGroup[];
  /** The cells of all groups. */
  readonly cells: readonly CellInfo[];
  /** Gives the files of the models back. */
  close(): void;
}

/**
 * Opens what a spec names.
 *
 * @throws UserError where a model or data is missing or damaged, or does not go with what the spec asks for; nothing stays
 * open then
 */
export async function prepareRun(spec: ResolvedSpec): Promise<PreparedRun> {
  const models = await openModels(spec);
  const close = (): void => {
    for (const files of models.values()) files.weights.close();
  };
  try {
    const identities = new Map(
      [...models].map(([name, files]) => [
        name,
        { config: files.config, record: modelRecord(files, spec.folder) },
      ]),
    );
    const opener = new TaskOpener(spec.registry.tasks, spec.folder);
    const groups = await groupCells(spec, identities, opener);
    const records = [...identities.values()].map(({ record }) => record);
    return { spec, models, records, opener, groups, cells: groups.flatMap(({ cells }) => cells), close };
  } catch (error) {
    close();
    throw error;
  }
}
