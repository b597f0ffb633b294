/**
 * The models of a spec: opened before any work, and what they will be given.
 *
 * All are there and sound, and fit, before the first of them runs. Opens no engine.
 */
import { checkModelFits, wasmWeightCopies } from '../engine/limits.js';
import { openModelFiles } from '../checkpoint/load.js';
import type { ModelConfig, ModelFiles } from '../checkpoint/types.js';
import { weightBytes } from '../checkpoint/weight-bytes.js';
import { largestLayer } from '../estimate/work.js';
import { modelPlace } from '../experiment/paths.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { expectModels } from './expect-models.js';
import { cacheBudget, machineMemory, type MemoryOptions, type MemoryUse } from '../estimate/memory.js';

/**
 * Every model of the spec by its name there, in the order of the spec. The caller closes their weights.
 *
 * @throws UserError where one is missing or damaged; none stays open then
 */
export async function openModels(spec: ResolvedSpec): Promise<Map<string, ModelFiles>> {
  expectModels(spec);
  const models = new Map<string, ModelFiles>();
  try {
    for (const { model } of spec.groups) {
      if (!models.has(model)) models.set(model, await openModel(model, spec.folder));
    }
    return models;
  } catch (error) {
    for (const files of models.values()) files.weights.close();
    throw error;
  }
}

/** A model of a spec, under the name that the spec gives it; the caller closes its weights. */
export async function openModel(model: string, folder: string): Promise<ModelFiles> {
  return { ...(await openModelFiles(modelPlace(model, folder))), name: model };
}

/** Throws UserError where a prefill of the model does not fit into the engine's memory. */
export function expectModelFits(engine: Parameters<typeof checkModelFits>[0], config: ModelConfig): void {
  checkModelFits(engine, 4 * largestLayer(config));
}

/**
 * Bytes that the packed caches of one process may take.
 *
 * @param memory bytes for all processes together. Default: the machine's, or the container's
 * @throws UserError (exit code 2) where a model, or a row of a sample, does not fit
 */
export function fitModels(
  spec: ResolvedSpec,
  models: ReadonlyMap<string, ModelFiles>,
  {
    engine,
    workers,
    memory = machineMemory(),
  }: Pick<MemoryOptions, 'engine' | 'workers'> & { readonly memory?: number | undefined },
): number {
  for (const files of models.values()) expectModelFits({ name: engine }, files.config);
  return cacheBudget(memoryUses(spec, models), {
    ...{ engine, workers, memory },
    cacheDtype: spec.cacheDtype,
    wasmCopies: wasmWeightCopies(),
  });
}

/** What each group of the spec asks of the memory. Of a task with lengths of its own only the most is known. */
function memoryUses(spec: ResolvedSpec, models: ReadonlyMap<string, ModelFiles>): MemoryUse[] {
  return spec.groups.map(({ model, task, context, maxContext }) => {
    const files = models.get(model)!;
    const { config } = files;
    const exact = spec.registry.tasks.get(task)?.ignores?.includes('context') !== true;
    const most = maxContext ?? config.maxPositions;
    const length = exact ? Math.min(context, most) : most;
    return { model, config, weightBytes: weightBytes(files.weights), length, exact };
  });
}
