/**
 * What a spec may become in the folder that holds its results: tasks, contexts, samples and pipelines may come and go.
 *
 * Records are found by cell and sample, so that what is asked for in addition is simply missing. What would give records
 * of the folder another meaning is refused, by name.
 */
import { canonicalJson } from '../base/canonical-json.js';
import { describeDifferences, modelDigests } from './manifest.js';
import type { CellInfo, JournalEntry, Manifest, RunOrigin } from './types.js';

/** Fields of a resolved spec that decide only which results are asked for. */
const FREE: ReadonlySet<string> = new Set(['name', 'tasks', 'context', 'samples', 'cache', 'latency']);
/** Fields with a list of values: others may be added and left out, but with none in common it is another experiment. */
const AXES: ReadonlySet<string> = new Set(['model', 'seed', 'question']);

/** Fields of a spec that are neither free to change nor share a value with what they were, a line each: `seed: 5 → 6`. */
export function changedFields(before: unknown, after: unknown): string[] {
  const [old, now] = [fixedFields(before), fixedFields(after)];
  const shared = Object.keys(old).filter((name) => AXES.has(name) && overlap(old[name], now[name]));
  return describeDifferences(without(old, shared), without(now, shared));
}

/** Models of the same name that are made of other files than they were, a line each: `weights of ./m: 12ab… → 34cd…`. */
export function changedModels(before: Manifest['models'], after: Manifest['models']): string[] {
  const [old, now] = [modelDigests(before), modelDigests(after)];
  const both = Object.keys(old).filter((name) => name in now);
  return describeDifferences(pick(old, both), pick(now, both));
}

/**
 * The manifest of a run that goes on in a folder: its history is kept, with a new entry where the spec is another.
 *
 * @param earlier as the folder held it; undefined in a new folder
 * @param entries of the folder's journal
 */
export function continued(
  manifest: Manifest,
  earlier: Manifest | undefined,
  entries: readonly JournalEntry[],
): Manifest {
  if (earlier === undefined) return manifest;
  const [original, ...extensions] = joined(historyOf(earlier), historyOf(manifest));
  const leftOut = leftOutCells(manifest.cells, [...earlier.cells, ...(earlier.leftOut ?? [])], entries);
  const named = new Set(manifest.models.map(({ name }) => name));
  const leftModels = earlier.models.filter(
    ({ name }) => !named.has(name) && leftOut.some(({ model }) => model === name),
  );
  return {
    ...manifest,
    models: [...manifest.models, ...leftModels],
    ...(extensions.length === 0 ? {} : { original, extensions }),
    leftOut: leftOut.length === 0 ? undefined : leftOut,
    startedAt: earlier.startedAt,
  };
}

/** Cells that have entries in the folder and are not among those of today, each once. */
export function leftOutCells(
  cells: readonly CellInfo[],
  earlier: readonly CellInfo[],
  entries: readonly JournalEntry[],
): CellInfo[] {
  const today = new Set(cells.map(({ key }) => key));
  const present = new Set(entries.map(({ cell }) => cell));
  const left = earlier.filter(({ key }) => present.has(key) && !today.has(key));
  return [...new Map(left.toReversed().map((cell) => [cell.key, cell])).values()].toReversed();
}

/** Every spec that a folder was run with, the manifest's own at the end. */
function historyOf({ original, extensions, spec, specHash, version, git, startedAt }: Manifest): RunOrigin[] {
  if (original !== undefined) return [original, ...(extensions ?? [])];
  return [{ spec, specHash, version, git, startedAt }];
}

/** Two histories as one: what both tell is told once. */
function joined(before: readonly RunOrigin[], after: readonly RunOrigin[]): readonly RunOrigin[] {
  const same = (one: RunOrigin | undefined, other: RunOrigin): boolean => one?.specHash === other.specHash;
  const shift = before.length - after.length;
  if (shift <= 0 && before.every((origin, index) => same(after[index], origin))) return after;
  if (shift >= 0 && after.every((origin, index) => same(before[shift + index], origin))) return before;
  return [...before, ...(same(before.at(-1), after[0]!) ? after.slice(1) : after)];
}

function fixedFields(spec: unknown): Record<string, unknown> {
  const fields = typeof spec === 'object' && spec !== null ? spec : { spec };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !FREE.has(name)));
}

function overlap(before: unknown, after: unknown): boolean {
  if (!Array.isArray(before) || !Array.isArray(after)) return false;
  const values = new Set(before.map(canonicalJson));
  return after.some((value) => values.has(canonicalJson(value)));
}

function pick(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

function without(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
