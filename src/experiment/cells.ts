/**
 * From a resolved spec and the digests of its files to groups of cells that share their prefills.
 *
 * Decides what is checked before any work starts. Knows nothing of engines.
 */
import { calibrationDigest } from '../calibration/digest.js';
import { UserError } from '../base/errors.js';
import { methods } from '../methods/registry.js';
import { weightsRequestOf } from '../methods/weights.js';
import { checkLowRankModel } from '../model/low-rank.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { cellInfo, PROTOCOL_VERSION } from '../results/cell-key.js';
import type { CellInfo, ModelRecord } from '../results/types.js';
import type { ResolvedSpec, TaskCell } from './types.js';
import { tasks as knownTasks } from '../tasks/registry.js';
import type { Task } from '../tasks/types.js';

/** What cells need of a model: no weights. */
export interface ModelIdentity {
  readonly config: ModelConfig;
  readonly record: ModelRecord;
}

/** One (model, task, context, seed, question): each of its samples is prefilled once for all cells. */
export interface CellGroup {
  readonly group: TaskCell;
  readonly task: Task;
  /** In the order of the spec's pipelines. */
  readonly cells: readonly CellInfo[];
}

/**
 * Expands the spec.
 *
 * @param models by the name that the spec gives them
 * @throws UserError (exit code 2) where a context does not fit a model, a pipeline names a layer that it does not have, or a
 * low-rank method meets a model that has no latents
 */
export function groupCells(
  spec: ResolvedSpec,
  models: ReadonlyMap<string, ModelIdentity>,
  tasks: ReadonlyMap<string, Task> = knownTasks,
): CellGroup[] {
  return spec.groups.map((group) => {
    const model = models.get(group.model)!;
    const task = tasks.get(group.task)!;
    if (group.context > model.config.maxPositions && task.ignores?.includes('context') !== true) {
      throw new UserError(
        `context ${group.context} is longer than the ${model.config.maxPositions} positions of ${group.model}`,
        { place: spec.file, hint: `Use at most context: ${model.config.maxPositions}.`, exitCode: 2 },
      );
    }
    if (group.maxContext !== undefined && group.maxContext > model.config.maxPositions) {
      throw new UserError(
        `max_context ${group.maxContext} is more than the ${model.config.maxPositions} positions of ${group.model}`,
        { place: spec.file, hint: `Use at most max_context: ${model.config.maxPositions}.`, exitCode: 2 },
      );
    }
    checkLayers(spec, group.model, model.config);
    if (spec.pipelines.some(({ steps }) => weightsRequestOf(steps) !== undefined)) {
      checkLowRankModel(model.config, group.model);
    }
    return { group, task, cells: cellsOfGroup(spec, group, model.record, task) };
  });
}

/** Throws where a pipeline names a layer that the model does not have. */
function checkLayers(
  { file, pipelines }: Pick<ResolvedSpec, 'file' | 'pipelines'>,
  model: string,
  { layers }: Pick<ModelConfig, 'layers'>,
): void {
  for (const { label, steps } of pipelines) {
    const named = steps.flatMap(({ method, params }) => methods.get(method)?.layers?.(params) ?? []);
    const missing = named.find((layer) => layer >= layers);
    if (missing === undefined) continue;
    throw new UserError(
      `${label} names layer ${missing}, and ${model} has ${layers}, counted from 0 to ${layers - 1}`,
      { place: file, hint: 'Name layers that the model has.', exitCode: 2 },
    );
  }
}

/** The cells of one group under today's keys, in the order of the spec's pipelines. */
export function cellsOfGroup(
  spec: ResolvedSpec,
  group: TaskCell,
  model: ModelRecord,
  task: Pick<Task, 'dataDigest'>,
): CellInfo[] {
  const dataDigest = task.dataDigest(group.taskParams);
  const digests = { ...model, dataDigest, protocol: PROTOCOL_VERSION };
  return spec.pipelines.map((pipeline) => {
    const request = weightsRequestOf(pipeline.steps);
    const calibration = request === undefined ? undefined : calibrationDigest(request);
    return cellInfo(group, pipeline, spec.cacheDtype, { ...digests, calibrationDigest: calibration });
  });
}

/** The data of all groups, each once: a task may read several files. */
export function dataOf(
  groups: readonly Pick<CellGroup, 'group' | 'task'>[],
): { task: string; digest: string }[] {
  const data = groups.map(({ group, task }) => ({
    task: group.task,
    digest: task.dataDigest(group.taskParams),
  }));
  return [...new Map(data.map((entry) => [`${entry.task} ${entry.digest}`, entry])).values()];
}
