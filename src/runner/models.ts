/**
 * The models of a spec: opened before any work, and how much memory they will take.
 *
 * Decides that all are there and sound before the first of them runs. Knows nothing of engines.
 */
import { openModelFiles } from '../model/load.js';
import type { ModelFiles } from '../model/types.js';
import type { ResolvedSpec } from '../spec/types.js';

/**
 * Every model of the spec by its name there, in the order of the spec. The caller closes their weights.
 *
 * @throws UserError where one is missing or damaged; none stays open then
 */
export async function openModels(spec: ResolvedSpec): Promise<Map<string, ModelFiles>> {
  const models = new Map<string, ModelFiles>();
  try {
    for (const { model } of spec.groups) {
      if (!models.has(model)) models.set(model, await openModelFiles(model));
    }
    return models;
  } catch (error) {
    for (const files of models.values()) files.weights.close();
    throw error;
  }
}

/** Bytes of all weights as float32. */
export function parameterBytes({ weights }: Pick<ModelFiles, 'weights'>): number {
  return 4 * weights.names.reduce((total, name) => total + weights.shape(name).reduce((a, b) => a * b, 1), 0);
}
