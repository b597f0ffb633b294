/**
 * Specs and what they may name, loaded when a command needs them.
 *
 * Commands import nothing heavy themselves, so that `--help` and `list` answer at once.
 */
import type { FolderState } from '../runner/folder-state.js';
import { specOfShard } from '../experiment/shard.js';
import type { SpecDocument } from '../experiment/document.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Registry } from '../registry/registry.js';
import { flagsOf, type ShardOptions, type SpecOptions } from './options.js';

/** Everything that may be named, plug-ins of `--use` included. No tensor library is loaded. */
export async function loadRegistry(use: readonly string[] = []): Promise<Registry> {
  if (use.length === 0) return (await import('../registry/registry.js')).builtIn;
  const { openRegistry } = await import('../registry/load-plugins.js');
  return openRegistry(use.map((name) => ({ use: name, folder: process.cwd(), place: '--use' })));
}

/** Reads a spec with the options that change it. Rejects with UserError (exit code 2) with all that is wrong. */
export async function readSpec(file: string, options: SpecOptions): Promise<ResolvedSpec> {
  return (await readSpecDocument(file, options)).spec;
}

/** As `readSpec`; the document has what the options have changed. */
export async function readSpecDocument(
  file: string,
  options: SpecOptions,
): Promise<{ spec: ResolvedSpec; document: SpecDocument }> {
  const [{ SpecDocument }, { loadDocument }] = await Promise.all([
    import('../experiment/document.js'),
    import('../experiment/load.js'),
  ]);
  const document = SpecDocument.read(file);
  const spec = await loadDocument(document, { overrides: options.set, flags: flagsOf(options) });
  return { spec, document };
}

/** A spec, or its shard, and what its folder holds of it. Rejects as `readSpec`, or where that is another's. */
export async function readSpecState(
  file: string,
  options: SpecOptions & ShardOptions,
): Promise<{ spec: ResolvedSpec; state: FolderState }> {
  const { shard } = options;
  const spec = specOfShard(await readSpec(file, options), shard);
  const { folderState } = await import('../runner/folder-state.js');
  return { spec, state: await folderState(spec, undefined, shard) };
}
