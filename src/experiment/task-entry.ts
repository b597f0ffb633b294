/**
 * The forms of a task in a spec: `NAME: {fields}`, as of a step, and those that specs had before.
 *
 * `{ task: NAME, fields }` and `{ file: …, scorer: … }` are still read, so that no spec has to be written again.
 */
import type { Path } from './document.js';
import type { Params } from './params.js';
import type { Problems } from './problems.js';
import type { SpecCatalogue } from './types.js';

export interface Entry {
  /** The field that holds the names; none where the name is the key. */
  readonly key: 'task' | 'scorer' | undefined;
  readonly names: readonly { readonly name: unknown; readonly at: Path }[];
  /** Where the fields stand. */
  readonly at: Path;
  readonly samples: unknown;
  readonly params: Params;
}

const FORMS = 'a task, NAME: {fields}, or {file: …, scorer: …}';

/** Undefined where it is no task; what is wrong is added to `problems` then. */
export function readEntry(
  item: unknown,
  path: Path,
  tasks: SpecCatalogue['tasks'],
  problems: Problems,
): Entry | undefined {
  if (!isMapping(item)) {
    problems.expected(path, FORMS, item);
    return undefined;
  }
  const { task, file, scorer } = item;
  if (task !== undefined || (file === undefined && scorer === undefined && isFields(item, tasks))) {
    return fieldsEntry(item, 'task', path);
  }
  if (file !== undefined || scorer !== undefined) return fieldsEntry(item, 'scorer', path);
  const [name, ...others] = Object.keys(item);
  if (others.length > 0) {
    problems.add(
      [...path, others[0]!],
      `${problems.document.show(path)}: expected one task, got ${[name, ...others].join(' and ')}; fields stand under its name, NAME: {fields} or indented further`,
      'key',
    );
    return undefined;
  }
  const fields = item[name!];
  const at = [...path, name!];
  if (fields !== null && !isMapping(fields)) {
    problems.expected(at, 'a mapping of fields', fields);
    return undefined;
  }
  const { samples, ...params } = fields ?? {};
  return { key: undefined, names: [{ name, at }], at, samples, params };
}

/** Whether no key can be the name of a task: `task` is what is missing then. */
function isFields(item: Params, tasks: SpecCatalogue['tasks']): boolean {
  const names = new Set([...tasks].flatMap(([name, { family }]) => [name, family]));
  return !Object.entries(item).some(
    ([key, value]) => names.has(key) || key.includes('/') || isMapping(value) || value === null,
  );
}

function fieldsEntry(item: Params, key: 'task' | 'scorer', path: Path): Entry {
  const { [key]: written, samples, ...params } = item;
  const names = Array.isArray(written)
    ? written.map((name: unknown, index) => ({ name, at: [...path, key, index] }))
    : [{ name: written, at: [...path, key] }];
  return { key, names, at: path, samples, params };
}

function isMapping(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
