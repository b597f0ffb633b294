/**
 * What a plug-in must export: methods and tasks with all their fields.
 *
 * Code from outside is not type-checked here, and a missing field should be one sentence rather than a crash in the middle
 * of a run.
 */
import type { Method } from '../methods/types.js';
import type { Task } from '../tasks/types.js';
import { describeValue } from '../base/describe.js';
import { UserError } from '../base/errors.js';

export type Extension =
  { readonly kind: 'method'; readonly value: Method } | { readonly kind: 'task'; readonly value: Task };

type Check = (value: unknown) => boolean;
interface Field {
  readonly name: string;
  readonly expected: string;
  readonly holds: Check;
}

const text = (name: string): Field => ({
  name,
  expected: 'a text',
  holds: (value) => typeof value === 'string' && value !== '',
});
const func = (name: string): Field => ({
  name,
  expected: 'a function',
  holds: (value) => typeof value === 'function',
});
const params: Field = {
  name: 'params',
  expected: "a zod schema (z of 'spark-eval')",
  holds: (value) => typeof value === 'object' && value !== null && '_zod' in value,
};
const AXES = ['token', 'channel', 'rank', 'precision'];
const METHOD: readonly Field[] = [
  {
    name: 'name',
    expected: 'a name of small letters, digits and "_"',
    holds: (value) => typeof value === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(value),
  },
  { name: 'axis', expected: `one of ${AXES.join(', ')}`, holds: (value) => AXES.includes(value as string) },
  ...[text('summary'), text('paper'), text('stores')],
  { name: 'notes', expected: 'a list of texts', holds: Array.isArray },
  params,
  {
    name: 'sizedBy',
    expected: 'a list of names of parameters',
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
  ...[func('observes'), func('plan'), func('asksForNothing')],
];
const TASK: readonly Field[] = [
  {
    name: 'name',
    expected: 'a name of the form family/name, of small letters, digits, "_" and "-"',
    holds: (value) =>
      typeof value === 'string' && /^[a-z][a-z0-9_-]{0,63}\/[a-z0-9][a-z0-9_-]{0,63}$/.test(value),
  },
  ...[text('family'), text('summary'), text('source')],
  params,
  func('open'),
];

/**
 * The methods and tasks that a module exports: its default, or a list of them, and every other export that looks like one.
 *
 * @throws UserError (exit code 2) naming the field that is missing or wrong; where nothing is exported
 */
export function extensionsOf(module: Readonly<Record<string, unknown>>, place: string): Extension[] {
  const first = module['default'];
  const named = Object.entries(module)
    .filter(([name, value]) => name !== 'default' && looksLikeOne(value))
    .map(([, value]) => value);
  const all = [
    ...(first === undefined ? [] : Array.isArray(first) ? (first as unknown[]) : [first]),
    ...named,
  ];
  const found = [...new Set(all)].map((value) => extensionOf(value, place));
  if (found.length > 0) return found;
  throw new UserError('exports neither a method nor a task', {
    place,
    hint: 'Expected a default export made by tokenMethod(…), or an object with the fields of Method or Task.',
    exitCode: 2,
  });
}

function looksLikeOne(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'name' in value && ('axis' in value || 'open' in value)
  );
}

function extensionOf(value: unknown, place: string): Extension {
  if (typeof value !== 'object' || value === null) {
    throw new UserError(`expected a method or a task, found ${describeValue(value)}`, { place, exitCode: 2 });
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const kind = 'open' in fields ? 'task' : 'method';
  const own = kind === 'task' ? TASK : [...METHOD, ...axisFields(fields['axis'])];
  for (const { name, expected, holds } of own) {
    if (holds(fields[name])) continue;
    const which = typeof fields['name'] === 'string' ? ` "${fields['name']}"` : '';
    const found = typeof fields[name] === 'function' ? 'a function' : describeValue(fields[name]);
    throw new UserError(`${kind}${which}, field ${name}: expected ${expected}, found ${found}`, {
      place,
      hint: 'docs/adding-a-method.md and docs/adding-a-task.md have the fields.',
      exitCode: 2,
    });
  }
  return { kind, value } as Extension;
}

function axisFields(axis: unknown): Field[] {
  if (axis === 'channel') return [func('prunes')];
  return axis === 'rank' ? [func('weights')] : [];
}
