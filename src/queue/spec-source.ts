/**
 * A spec as it goes to other machines: its text, overrides included, and where its paths start.
 *
 * A worker reads and checks a spec as the command line does, by the same code, rather than trust what another machine has made
 * of it. Files that differ there are refused by their digests.
 */
import { existsSync } from 'node:fs';
import { SpecDocument } from '../experiment/document.js';
import { resolveWith } from '../experiment/load.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Registry } from '../registry/registry.js';
import type { SpecSource } from './messages.js';

/** Of a spec that has been loaded: what the command line says is part of it then. */
export function sourceOf(document: SpecDocument): SpecSource {
  return { file: document.file, folder: document.folder, text: JSON.stringify(document.value) };
}

/**
 * The spec with the methods and tasks of this machine.
 *
 * @param here where its paths start; default: the coordinator's folder where that is here, too, else the working directory
 * @throws UserError (exit code 2) where the spec is wrong for this version of the program
 */
export function resolveSource(
  { file, folder, text }: SpecSource,
  registry: Registry,
  here = existsSync(folder) ? folder : process.cwd(),
): Promise<ResolvedSpec> {
  return resolveWith(SpecDocument.parse(text, file, here), registry);
}
