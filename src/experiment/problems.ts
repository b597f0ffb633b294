/**
 * Everything that is wrong with a spec, up to a screenful, gathered and then shown at once.
 *
 * One form, `place path: expected …, got …`, whatever found the fault.
 */
import type * as z from 'zod';
import { UserError } from '../base/errors.js';
import { describeAxis, describeSchema, describeValue, inputSchema, subSchema } from '../base/describe.js';
import type { Path, SpecDocument } from './document.js';
import { didYouMean } from '../base/did-you-mean.js';

/** Reading ends with this many. */
const MAX_PROBLEMS = 50;

export class Problems {
  private readonly found = new Map<string, { place: string; message: string }>();

  constructor(readonly document: Pick<SpecDocument, 'place' | 'show'>) {}

  get empty(): boolean {
    return this.found.size === 0;
  }

  /** Adds a problem with the value at `path`, or with its key. The same problem at the same place is kept once. */
  add(path: Path, message: string, at: 'value' | 'key' = 'value'): void {
    const place = this.document.place(path, at);
    const line = message.replaceAll('\n', '\\n'); // of names in the file
    this.found.set(`${place} ${line}`, { place, message: line });
    if (this.found.size >= MAX_PROBLEMS) this.throwIfAny();
  }

  /** Adds `path: expected …, got …`. */
  expected(path: Path, expected: string, found: unknown): void {
    this.add(path, `${this.document.show(path)}: expected ${expected}, got ${describeValue(found)}`);
  }

  /**
   * Adds zod's issues with a value.
   *
   * @param locate maps a path inside the checked value to one inside the document
   * @param hints keys that stand beside those of the schema; fields that are sweep axes
   */
  addIssues(
    issues: readonly z.core.$ZodIssue[],
    schema: z.ZodType,
    value: unknown,
    locate: (path: readonly PropertyKey[]) => Path,
    hints: { readonly keys?: readonly string[]; readonly axes?: readonly string[] } = {},
  ): void {
    const json = inputSchema(schema);
    for (const issue of issues) {
      const path = locate(issue.path);
      const found = issue.path.reduce(child, value);
      if (issue.code === 'unrecognized_keys') {
        const known = [...(hints.keys ?? []), ...Object.keys(subSchema(json, issue.path)?.properties ?? {})];
        for (const key of issue.keys) this.unknownKey(locate([...issue.path, key]), key, known);
      } else if (issue.code === 'custom') {
        const got =
          issue.message.includes(', got ') || typeof found === 'object'
            ? ''
            : `, got ${describeValue(found)}`;
        this.add(path, `${this.document.show(path)}: ${issue.message}${got}`);
      } else if (issue.code === 'invalid_format') {
        this.expected(path, issue.message, found);
      } else if (issue.code === 'too_small' && issue.origin === 'array') {
        this.expected(
          path,
          `at least ${issue.minimum === 1 ? 'one value' : `${issue.minimum} values`}`,
          found,
        );
      } else {
        const expected = subSchema(json, issue.path);
        const isAxis = issue.path.length === 1 && hints.axes?.includes(String(issue.path[0])) === true;
        const words = isAxis ? describeAxis : describeSchema;
        this.expected(path, expected === undefined ? issue.message : words(expected), found);
      }
    }
  }

  /** Adds an unknown key, with the nearest known one. */
  unknownKey(path: Path, key: string, known: readonly string[]): void {
    const parent = this.document.show(path.slice(0, -1));
    const where = parent === '' ? '' : `${parent}: `;
    const suggestion = didYouMean(key, known) || ` Known: ${known.join(', ') || 'none'}.`;
    this.add(path, `${where}unknown key "${key}".${suggestion}`, 'key');
  }

  /** Throws all that was found as one error, in the order of the file. */
  throwIfAny(): void {
    if (this.empty) return;
    const lines = [...this.found.values()].sort((a, b) => comparePlaces(a.place, b.place));
    const width = Math.max(...lines.map((line) => line.place.length));
    const text = lines.map((line) => `${line.place.padEnd(width)}  ${line.message}`).join('\n');
    const more = lines.length < MAX_PROBLEMS ? '' : '\nWhat else is wrong is not shown.';
    throw new UserError(`${text}${more}`, { exitCode: 2 });
  }
}

function child(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

/** By line, then column; places without them (`--set …`) last. */
function comparePlaces(a: string, b: string): number {
  const [lineA, columnA] = position(a);
  const [lineB, columnB] = position(b);
  return lineA - lineB || columnA - columnB || 0;
}

function position(place: string): [number, number] {
  const match = /:(\d+):(\d+)$/.exec(place);
  return match === null ? [Number.MAX_SAFE_INTEGER, 0] : [Number(match[1]), Number(match[2])];
}
