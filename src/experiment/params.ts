/**
 * The parameters of one method or task: sweep axes expanded, each combination validated by its own schema.
 *
 * Every combination of a sweep is checked, so that no cell fails later for its parameters.
 */
import type * as z from 'zod';
import type { NestedParams } from '../methods/types.js';
import { combinations, countCombinations } from './axes.js';
import { inputSchema, takesList } from '../base/describe.js';
import type { Path } from './document.js';
import type { Problems } from './problems.js';

export type Params = Readonly<Record<string, unknown>>;

/** Most parameter sets that one entry of a list of the spec may expand to, and all of them together. */
export const MAX_COMBINATIONS = 10_000;

/**
 * Every parameter set that `written` stands for, defaults filled in. What is wrong is added to `problems`, and
 * then the result is empty.
 *
 * @param ownKeys keys that the caller has taken out, for suggestions
 * @param nested the field that holds parameters of another method; its lists are sweep axes as well
 */
export function expandParams(
  written: Params,
  schema: z.ZodType,
  path: Path,
  problems: Problems,
  ownKeys: readonly string[] = [],
  nested?: NestedParams,
): Params[] {
  const properties = inputSchema(schema).properties ?? {};
  const isAxis = (key: string): boolean => !takesList(properties[key]);
  const empty = Object.entries(written).filter(([key, value]) => isEmptyList(value) && isAxis(key));
  for (const [key, value] of empty) problems.expected([...path, key], 'at least one value', value);
  if (empty.length > 0) return [];
  const count = countCombinations(written, isAxis);
  const tooMany = (cells: number): Params[] => {
    problems.add(
      path,
      `${problems.document.show(path)}: expands to ${cells} cells, at most ${MAX_COMBINATIONS}`,
    );
    return [];
  };
  if (count > MAX_COMBINATIONS) return tooMany(count);

  const sets: Params[] = [];
  for (const { values, picked } of combinations(written, isAxis)) {
    const locate = (inner: readonly PropertyKey[]): Path => [...path, ...withIndex(inner, picked)];
    for (const whole of expandNested(values, nested, locate, problems)) {
      const result = schema.safeParse(whole);
      if (result.success) sets.push(withoutUndefined(result.data as Params));
      else problems.addIssues(result.error.issues, schema, whole, locate, { keys: ownKeys });
    }
    if (sets.length > MAX_COMBINATIONS) return tooMany(sets.length);
  }
  return sets;
}

/** The values with each parameter set that their nested field stands for; none where that field is wrong. */
function expandNested(
  values: Params,
  nested: NestedParams | undefined,
  locate: (inner: readonly PropertyKey[]) => Path,
  problems: Problems,
): Params[] {
  if (nested === undefined) return [values];
  const schema = nested.schema(values);
  const written = values[nested.key] ?? {};
  if (schema === undefined || typeof written !== 'object' || Array.isArray(written)) return [values];
  return expandParams(written as Params, schema, locate([nested.key]), problems).map((set) => ({
    ...values,
    [nested.key]: set,
  }));
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
