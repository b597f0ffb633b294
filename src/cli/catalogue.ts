/**
 * What a spec may name: the registries of methods, tasks and models, loaded when a command needs them.
 *
 * Decides nothing; joins the floors that do not know each other.
 */
import type { FolderState } from '../runner/folder-state.js';
import { specOfShard } from '../experiment/shard.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Registry } from '../registry/registry.js';
import type { ShardOptions, SpecOptions } from './options.js';

/** Everything that may be named, plug-ins of `--use` included. No tensor library is loaded. */
export async function loadRegistry(use: readonly string[] = []): Promise<Registry> {
  if (use.length === 0) return (await import('../registry/registry.js')).builtIn;
  const { openRegistry } = await import('../registry/load-plugins.js');
  return openRegistry(use.map((name) => ({ use: name, folder: process.cwd(), place: '--use' })));
}

/** Reads a spec. Rejects with UserError (exit code 2) with all that is wrong. */
export async function readSpec(file: string, overrides: readonly string[]): Promise<ResolvedSpec> {
  const { loadSpec } = await import('../experiment/load.js');
  return loadSpec(file, { overrides });
}

/** A spec, or its shard, and what its folder holds of it. Rejects as `readSpec`, or where that is another's. */
export async function readSpecState(
  file: string,
  { set, shard }: SpecOptions & ShardOptions,
): Promise<{ spec: ResolvedSpec; state: FolderState }> {
  const spec = specOfShard(await readSpec(file, set), shard);
  const { folderState } = await import('../runner/folder-state.js');
  return { spec, state: await folderState(spec, undefined, shard) };
}
