/**
 * What a spec may name: the registries of methods, tasks and models, loaded when a command needs them.
 *
 * Decides nothing; joins the floors that do not know each other.
 */
import type { Method } from '../methods/types.js';
import type { FolderState } from '../runner/folder-state.js';
import { specOfShard } from '../experiment/shard.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Task } from '../tasks/types.js';
import type { ShardOptions, SpecOptions } from './options.js';

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
    import('../pull/models.js'),
  ]);
  return { methods, tasks, models: MODEL_NAMES };
}

/** Reads a spec against the catalogue. Throws UserError (exit code 2) with all that is wrong. */
export async function readSpec(
  file: string,
  overrides: readonly string[],
): Promise<{ spec: ResolvedSpec; catalogue: Catalogue }> {
  const [catalogue, { loadSpec }] = await Promise.all([loadCatalogue(), import('../experiment/load.js')]);
  return { spec: loadSpec(file, { catalogue, overrides }), catalogue };
}

/** A spec, or its shard, and what its folder holds of it. Throws UserError as `readSpec`, or where that is another's. */
export async function readSpecState(
  file: string,
  { set, shard }: SpecOptions & ShardOptions,
): Promise<{ spec: ResolvedSpec; catalogue: Catalogue; state: FolderState }> {
  const { spec: whole, catalogue } = await readSpec(file, set);
  const spec = specOfShard(whole, shard);
  const [{ folderState }, { TaskOpener }] = await Promise.all([
    import('../runner/folder-state.js'),
    import('../experiment/task-opener.js'),
  ]);
  const state = await folderState(spec, new TaskOpener(catalogue.tasks), undefined, shard);
  return { spec, catalogue, state };
}
