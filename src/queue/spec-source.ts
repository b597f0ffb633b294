/**
 * A spec as it goes to other machines: its text.
 *
 * Decides that a worker reads and checks a spec as the command line does, by the same code, rather than to trust what
 * another machine has made of it.
 */
import { MODEL_NAMES } from '../pull/models.js';
import { SpecDocument } from '../experiment/document.js';
import { resolveSpec } from '../experiment/load.js';
import { applyOverride } from '../experiment/overrides.js';
import type { ResolvedSpec } from '../experiment/types.js';
import type { Registry } from '../registry/registry.js';
import type { SpecSource } from './messages.js';

/** @param overrides `path=value`, applied in order */
export function readSource(file: string, overrides: readonly string[]): SpecSource {
  return { file, text: SpecDocument.read(file).document.toString(), overrides: [...overrides] };
}

/** Throws UserError (exit code 2) where the spec is wrong for this version of the program. */
export function resolveSource({ file, text, overrides }: SpecSource, registry: Registry): ResolvedSpec {
  const document = SpecDocument.parse(text, file);
  for (const override of overrides) applyOverride(document, override);
  return { ...resolveSpec(document, { catalogue: { ...registry, models: MODEL_NAMES } }), registry };
}
