/**
 * What a spec may name: the registries of methods, tasks and models, loaded when a command needs them.
 *
 * Decides nothing; joins the floors that do not know each other.
 */
import type { Method } from '../methods/types.js';
import type { ResolvedSpec } from '../spec/types.js';
import type { Task } from '../tasks/types.js';

export interface Catalogue {
  readonly methods: ReadonlyMap<string, Method>;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly models: readonly string[];
}

/** Everything that may be named. No tensor library is loaded. */
export async function loadCatalogue(): Promise<Catalogue> {
  const [{ methods }, { tasks }, { MODEL_NAMES }] = await Promise.all([
    import('../methods/registry.js'),
    import('../tasks/registry.js'),
    import('../model/catalogue.js'),
  ]);
  return { methods, tasks, models: MODEL_NAMES };
}

/** Reads a spec against the catalogue. Throws UserError (exit code 2) with all that is wrong. */
export async function readSpec(
  file: string,
  overrides: readonly string[],
): Promise<{ spec: ResolvedSpec; catalogue: Catalogue }> {
  const [catalogue, { loadSpec }] = await Promise.all([loadCatalogue(), import('../spec/load.js')]);
  return { spec: loadSpec(file, { catalogue, overrides }), catalogue };
}
