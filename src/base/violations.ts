/**
 * What is wrong with a value that others wrote, by its schema.
 *
 * One form, `field: expected …, found …`, for journals, records and messages alike.
 */
import type * as z from 'zod';
import { describeSchema, describeValue, inputSchema, type JsonSchema, subSchema } from './describe.js';

/** The first ones explain those that follow from them. */
const MOST = 5;

/** The faults that `schema` has found in `value`, in one line. */
export function violations(schema: z.ZodType, value: unknown, { issues }: z.ZodError): string {
  const json = inputSchema(schema);
  const told = issues.slice(0, MOST).map((issue) => {
    const field = issue.path.map(String).join('.');
    return `${field === '' ? '' : `${field}: `}${violation(issue, json, issue.path.reduce(child, value))}`;
  });
  return [...told, ...(issues.length > MOST ? [`and ${issues.length - MOST} more`] : [])].join('; ');
}

function violation(issue: z.core.$ZodIssue, json: JsonSchema, found: unknown): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join(', ');
    case 'custom':
      return `${issue.message}, found ${describeValue(found)}`;
    default:
      return `expected ${expectation(issue, json)}, found ${describeValue(found)}`;
  }
}

/** Lengths and forms of texts, which the words for a schema leave out; else what the schema has at that place. */
function expectation(issue: z.core.$ZodIssue, json: JsonSchema): string {
  if (issue.code === 'invalid_format') return `a text of the form ${issue.pattern ?? issue.format}`;
  if (issue.code === 'too_small' && hasLength(issue)) return `a length of at least ${issue.minimum}`;
  if (issue.code === 'too_big' && hasLength(issue)) return `a length of at most ${issue.maximum}`;
  if (issue.code === 'invalid_type' && issue.expected === 'nonoptional') return 'a value';
  const expected = subSchema(json, issue.path);
  return expected === undefined ? 'another value' : describeSchema(expected);
}

function hasLength({ origin }: { readonly origin: string }): boolean {
  return origin === 'string' || origin === 'array';
}

function child(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
