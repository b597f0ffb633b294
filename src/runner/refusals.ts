/**
 * Why a run would be refused, and what it would remark, foreseen from configurations, tokenizers and data: no weights are read.
 *
 * The checks are those that a run itself goes through, so that a plan and a run say the same.
 */
import { UserError } from '../base/errors.js';
import { openModelText } from '../checkpoint/load.js';
import { readModelConfig } from '../checkpoint/read-config.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { checkGroup, openGroup } from '../experiment/cells.js';
import { modelPlace } from '../experiment/paths.js';
import { mustBePulled } from '../pull/locate-model.js';
import { TaskOpener } from '../experiment/task-opener.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { expectModels } from './expect-models.js';
import { checkSamples } from './sample/check-samples.js';
import { beyondPositions } from './sample/reach.js';

/**
 * Models that are not there or not supported, contexts that do not fit them, data that is missing, more samples than rows:
 * of each model and each group the first reason; none where nothing speaks against a run.
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
  await unless(() => {
    expectModels(spec);
  });
  for (const { model } of spec.groups) {
    if (!configs.has(model)) configs.set(model, await configOf(modelPlace(model, spec.folder), unless));
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

/**
 * What reaches beyond a model's positions, as far as configurations and published limits tell: where there are neither weights nor
 * data, no sample can be looked at.
 */
export function foreseeReach(spec: ResolvedSpec): string[] {
  const remarks = spec.groups.map((group) => {
    const { task, model, taskParams, maxContext } = group;
    const answer = spec.registry.tasks.get(task)?.newTokens?.(taskParams);
    const config = maxContext === undefined ? undefined : knownConfig(modelPlace(model, spec.folder));
    if (maxContext === undefined || answer === undefined || config === undefined) return undefined;
    return beyondPositions(group, { context: maxContext, answer }, config.maxPositions);
  });
  return [...new Set(remarks.filter((remark) => remark !== undefined))];
}

export interface ForeseenSamples {
  readonly refusals: readonly UserError[];
  /** What a run says of its samples before it begins, a sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Looks at all samples of the models that are there, as a run does before its first prefill: of each group the first that cannot
 * be had, and what should be known of them.
 */
export async function foreseeSamples(spec: ResolvedSpec): Promise<ForeseenSamples> {
  const opener = new TaskOpener(spec.registry.tasks, spec.folder);
  const models = new Map<string, ModelText>();
  for (const { model } of spec.groups) {
    const place = modelPlace(model, spec.folder);
    if (!models.has(model) && !mustBePulled(place))
      models.set(model, { ...openModelText(place), name: model });
  }
  const refusals: UserError[] = [];
  const remarks = new Set<string>();
  for (const [group, { model, samples }] of spec.groups.entries()) {
    if (!models.has(model)) continue;
    const jobs = Array.from({ length: samples }, (_, sample) => ({ group, sample }));
    try {
      for (const remark of await checkSamples({ spec, models, opener }, jobs)) remarks.add(remark);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refusals.push(error);
    }
  }
  return { refusals, remarks: [...remarks] };
}

type ModelText = ReturnType<typeof openModelText>;

/** Of a model that is not there it is what the catalogue knows; that it must be pulled has been said. */
async function configOf(
  place: string,
  unless: <T>(look: () => T) => Promise<T | undefined>,
): Promise<ModelConfig | undefined> {
  return mustBePulled(place) ? knownConfig(place) : unless(() => readModelConfig(place));
}

/** Undefined where it cannot be read. */
function knownConfig(place: string): ModelConfig | undefined {
  try {
    return readModelConfig(place);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
