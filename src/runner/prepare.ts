/**
 * From a resolved spec to a run that can begin: models and tasks open, cells keyed.
 *
 * Whoever computes a spec, on this machine or as a worker of a queue, goes through here, so that all refuse the same and
 * have the same keys. `foreseeRefusals` is as much of it as can be known without reading weights.
 */
import { UserError } from '../base/errors.js';
import { readModelConfig } from '../checkpoint/read-config.js';
import type { ModelConfig, ModelFiles } from '../checkpoint/types.js';
import { type CellGroup, checkGroup, groupCells, openGroup } from '../experiment/cells.js';
import { modelPlace } from '../experiment/paths.js';
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

/**
 * Why a run would be refused before its first prefill, as far as configurations and data tell: models that are not there or
 * not supported, contexts that do not fit them, data that is missing, more samples than rows. Of each model and each group
 * the first reason; none where nothing speaks against it.
 */
export async function foreseeRefusals(spec: ResolvedSpec): Promise<UserError[]> {
  const opener = new TaskOpener(spec.registry.tasks, spec.folder);
  const reasons = new Map<string, UserError>();
  const unless = async <T>(look: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reasons.set(error.format(), error);
      return undefined;
    }
  };
  const configs = new Map<string, ModelConfig | undefined>();
  for (const { model } of spec.groups) {
    if (configs.has(model)) continue;
    configs.set(model, await unless(() => readModelConfig(modelPlace(model, spec.folder))));
  }
  for (const group of spec.groups) {
    const config = configs.get(group.model);
    await unless(async () => {
      if (config !== undefined) checkGroup(spec, group, config);
      const task = await openGroup(spec, group, opener);
      // It tells in its own words.
      if (task.rows !== undefined && task.rows < group.samples) await task.sample(group.samples - 1);
    });
  }
  return [...reasons.values()];
}
