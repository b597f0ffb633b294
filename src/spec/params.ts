/**
 * The parameters of one method or task: sweep axes expanded, each combination validated by its own schema.
 *
 * Decides how a parameter list becomes parameter sets. Knows nothing of what a parameter means.
 */
import type { z } from 'zod';
import { combinations, countCombinations } from './axes.js';
import { inputSchema, takesList } from './describe.js';
import type { Path } from './document.js';
import type { Problems } from './problems.js';

export type Params = Readonly<Record<string, unknown>>;

/** Most parameter sets that one entry of the spec may expand to. */
export const MAX_COMBINATIONS = 10_000;

/**
 * Every parameter set that `written` stands for, defaults filled in. What is wrong is added to `problems`, and
 * then the result is empty.
 *
 * @param ownKeys keys that the caller has taken out, for suggestions
 */
export function expandParams(
  written: Params,
  schema: z.ZodType,
  path: Path,
  problems: Problems,
  ownKeys: readonly string[] = [],
): Params[] {
  const properties = inputSchema(schema).properties ?? {};
  const isAxis = (key: string): boolean => !takesList(properties[key]);
  const empty = Object.entries(written).filter(([key, value]) => isEmptyList(value) && isAxis(key));
  for (const [key, value] of empty) problems.expected([...path, key], 'at least one value', value);
  if (empty.length > 0) return [];
  const count = countCombinations(written, isAxis);
  if (count > MAX_COMBINATIONS) {
    problems.add(
      path,
      `${problems.document.show(path)}: expands to ${count} cells, at most ${MAX_COMBINATIONS}`,
    );
    return [];
  }

  const sets: Params[] = [];
  for (const { values, picked } of combinations(written, isAxis)) {
    const result = schema.safeParse(values);
    if (result.success) {
      sets.push(withoutUndefined(result.data as Params));
    } else {
      problems.addIssues(
        result.error.issues,
        schema,
        values,
        (inner) => [...path, ...withIndex(inner, picked)],
        { keys: ownKeys },
      );
    }
  }
  return sets;
}

/** A path inside one combination, as a path inside the file: an axis is followed by the entry that was taken. */
function withIndex(inner: readonly PropertyKey[], picked: ReadonlyMap<string, number>): Path {
  const [key, ...rest] = inner.map((step) => (typeof step === 'number' ? step : String(step)));
  if (key === undefined) return [];
  const index = picked.get(String(key));
  return index === undefined ? [key, ...rest] : [key, index, ...rest];
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function withoutUndefined(params: Params): Params {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
