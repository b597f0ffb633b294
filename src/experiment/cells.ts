/**
 * From a resolved spec and the digests of its files to groups of cells that share their prefills.
 *
 * What can be known from configurations and digests alone is checked here, before any weights are read.
 */
import { calibrationDigest } from '../calibration/digest.js';
import { UserError } from '../base/errors.js';
import { weightsRequestOf } from '../methods/weight-sets.js';
import { modelObjection } from '../methods/on-models.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { cellInfo, PROTOCOL_VERSION } from '../results/cell-key.js';
import type { CellInfo, ModelRecord } from '../results/types.js';
import type { Pipeline } from '../methods/types.js';
import { pluginDigests } from '../registry/registry.js';
import { withTextPath } from './paths.js';
import type { ResolvedSpec, TaskCell } from './types.js';
import type { OpenTask } from '../tasks/types.js';
import { TaskOpener } from './task-opener.js';

/** What cells need of a model: no weights. */
export interface ModelIdentity {
  readonly config: ModelConfig;
  readonly record: ModelRecord;
}

/** One (model, task, context, seed, question): each of its samples is prefilled once for all cells. */
export interface CellGroup {
  readonly group: TaskCell;
  readonly task: OpenTask;
  /** In the order of the spec's pipelines. */
  readonly cells: readonly CellInfo[];
}

/**
 * Expands the spec.
 *
 * @param models by the name that the spec gives them
 * @throws UserError (exit code 2) where a context does not fit a model, a pipeline names a layer that it does not have, or a
 * low-rank method meets a model that has no latents; of a task whose data is missing or damaged
 */
export async function groupCells(
  spec: ResolvedSpec,
  models: ReadonlyMap<string, ModelIdentity>,
  opener: TaskOpener,
): Promise<CellGroup[]> {
  const calibrations = calibrationDigests(spec);
  const groups: CellGroup[] = [];
  for (const group of spec.groups) {
    const model = models.get(group.model)!;
    checkGroup(spec, group, model.config);
    const task = await openGroup(spec, group, opener);
    groups.push({ group, task, cells: cellsOfGroup(spec, group, model.record, task.digest, calibrations) });
  }
  return groups;
}

/**
 * Whether a model can be given a group's samples and all pipelines.
 *
 * @throws UserError (exit code 2) as `groupCells`, but for the task
 */
export function checkGroup(spec: ResolvedSpec, group: TaskCell, config: ModelConfig): void {
  const ownLengths = spec.registry.tasks.get(group.task)!.ignores?.includes('context') === true;
  if (group.context > config.maxPositions && !ownLengths) {
    throw new UserError(
      `context ${group.context} is longer than the ${config.maxPositions} positions of ${group.model}`,
      { place: spec.file, hint: `Use at most context: ${config.maxPositions}.`, exitCode: 2 },
    );
  }
  if (group.maxContext !== undefined && group.maxContext > config.maxPositions) {
    throw new UserError(
      `max_context ${group.maxContext} is more than the ${config.maxPositions} positions of ${group.model}`,
      { place: spec.file, hint: `Use at most max_context: ${config.maxPositions}.`, exitCode: 2 },
    );
  }
  checkLayers(spec, group.model, config);
  expectRunnable(spec, group.model, config);
}

/** The task of a group; an error that has no place of its own is the spec's. */
export async function openGroup(
  { file }: Pick<ResolvedSpec, 'file'>,
  group: TaskCell,
  opener: TaskOpener,
): Promise<OpenTask> {
  try {
    return await opener.open(group);
  } catch (error) {
    throw error instanceof UserError && error.place === undefined ? error.at(file) : error;
  }
}

/** Throws where a pipeline cannot run on the model. */
function expectRunnable(
  { file, pipelines, registry }: Pick<ResolvedSpec, 'file' | 'pipelines' | 'registry'>,
  model: string,
  config: ModelConfig,
): void {
  for (const { label, steps } of pipelines) {
    const reason = modelObjection(steps, config, registry.methods);
    if (reason === undefined) continue;
    throw new UserError(`${label} cannot run on ${model}: it ${reason}`, {
      place: file,
      hint: `Leave it out for ${config.architecture}, or give that model a spec of its own.`,
      exitCode: 2,
    });
  }
}

/** Throws where a pipeline names a layer that the model does not have. */
function checkLayers(
  { file, pipelines, registry }: Pick<ResolvedSpec, 'file' | 'pipelines' | 'registry'>,
  model: string,
  { layers }: Pick<ModelConfig, 'layers'>,
): void {
  for (const { label, steps } of pipelines) {
    const named = steps.flatMap(({ method, params }) => registry.methods.get(method)?.layers?.(params) ?? []);
    const missing = named.find((layer) => layer >= layers);
    if (missing === undefined) continue;
    throw new UserError(
      `${label} names layer ${missing}, and ${model} has ${layers}, counted from 0 to ${layers - 1}`,
      { place: file, hint: 'Name layers that the model has.', exitCode: 2 },
    );
  }
}

/** Of the weights that each pipeline runs on, in the order of the spec; undefined where they are the model's own. */
export function calibrationDigests(
  spec: Pick<ResolvedSpec, 'pipelines' | 'registry' | 'folder'>,
): readonly (string | undefined)[] {
  return spec.pipelines.map(({ steps }) => {
    const request = weightsRequestOf(steps, spec.registry.methods);
    return request === undefined ? undefined : calibrationDigest(withTextPath(request, spec.folder));
  });
}

/** The cells of one group under today's keys, in the order of the spec's pipelines. */
export function cellsOfGroup(
  spec: ResolvedSpec,
  group: TaskCell,
  model: ModelRecord,
  dataDigest: string,
  calibrations: readonly (string | undefined)[],
): CellInfo[] {
  const digests = { ...model, dataDigest, protocol: PROTOCOL_VERSION };
  return spec.pipelines.map((pipeline, p) =>
    cellInfo(group, pipeline, spec.cacheDtype, {
      ...digests,
      calibrationDigest: calibrations[p],
      pluginDigests: usedPlugins(spec, group, pipeline),
    }),
  );
}

/** Undefined where there are none, so that keys of cells without plug-ins stay what they were. */
function usedPlugins(
  { registry }: Pick<ResolvedSpec, 'registry'>,
  { task }: Pick<TaskCell, 'task'>,
  { steps }: Pick<Pipeline, 'steps'>,
): readonly string[] | undefined {
  const digests = pluginDigests(registry, task, steps);
  return digests.length === 0 ? undefined : digests;
}

/** The data of all groups, each once: a task may read several files. */
export function dataOf(
  groups: readonly { readonly group: Pick<TaskCell, 'task'>; readonly task: Pick<OpenTask, 'digest'> }[],
): { task: string; digest: string }[] {
  const data = groups.map(({ group, task }) => ({ task: group.task, digest: task.digest }));
  return [...new Map(data.map((entry) => [`${entry.task} ${entry.digest}`, entry])).values()];
}
