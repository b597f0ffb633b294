/**
 * Whether the models of a spec have been pulled.
 *
 * A plan asks it as a run does, and must load neither a tokenizer nor weights for it.
 */
import { UserError } from '../base/errors.js';
import { modelPlace } from '../experiment/paths.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { mustBePulled, resolveModel } from '../pull/locate-model.js';

/** Throws one UserError for all models that are to be pulled first, so that it is done in one go. */
export function expectModels({ groups, folder }: Pick<ResolvedSpec, 'groups' | 'folder'>): void {
  const names = [...new Set(groups.map(({ model }) => model))];
  const missing = names.filter((name) => mustBePulled(modelPlace(name, folder)));
  if (missing.length === 1) resolveModel(missing[0]!);
  if (missing.length > 1) {
    throw new UserError(`models ${missing.map((name) => `"${name}"`).join(', ')} are not there`, {
      hint: `spark-eval pull ${missing.join(' ')}`,
    });
  }
}
