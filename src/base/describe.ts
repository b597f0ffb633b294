/**
 * What a schema expects and what a value is, in words.
 *
 * Errors, `show` and the spec's page use the same words, all made from the schemas that validate.
 */
import * as z from 'zod';

/** The part of JSON Schema that zod's schemas of plain data come out as. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: false | JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly default?: unknown;
  readonly description?: string;
}

const converted = new WeakMap<z.ZodType, JsonSchema>();

/** The JSON Schema of what may be written for `schema`, defaults not yet filled in. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  let json = converted.get(schema);
  if (json === undefined) {
    json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    converted.set(schema, json);
  }
  return json;
}

/** The schema of a place inside another; undefined where there is none. */
export function subSchema(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  if (path.length === 0) return schema;
  for (const choice of schema.anyOf ?? [schema]) {
    const step = stepInto(choice, path[0]!);
    const found = step && subSchema(step, path.slice(1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function stepInto(schema: JsonSchema, step: PropertyKey): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  const { properties, additionalProperties } = schema;
  return properties?.[String(step)] ?? (additionalProperties || undefined);
}

/** True where a list is itself a value of the schema, so that it is no sweep axis. */
export function takesList(schema: JsonSchema | undefined): boolean {
  return schema?.type === 'array' || (schema?.anyOf?.some(takesList) ?? false);
}

/** `a number in [0, 1)`, `an integer ≥ 1`, `"a" or "b"`. */
export function describeSchema(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return join(schema.anyOf.map(describeSchema));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return join(schema.enum.map((value) => JSON.stringify(value)));
  switch (schema.type) {
    case 'number':
      return `a number${describeRange(schema)}`;
    case 'integer':
      return `an integer${describeRange(schema)}`;
    case 'string':
      return 'a string';
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return schema.items?.type === undefined ? 'a list' : `a list (each ${describeSchema(schema.items)})`;
    case 'object':
      return 'a mapping';
    default:
      return 'another value';
  }
}

/** What a sweep axis expects, whose schema is that of the list: `an integer ≥ 1 or a list of them`. */
export function describeAxis(schema: JsonSchema): string {
  return schema.items?.type === undefined ? 'a list' : `${describeSchema(schema.items)} or a list of them`;
}

/** A value as the user wrote it, shortened: `1.2`, `"snapvk"`, `a list of 3`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty mapping' : `a mapping with ${shorten(keys.join(', '))}`;
  }
  return shorten(typeof value === 'number' ? String(value) : JSON.stringify(value));
}

function describeRange(schema: JsonSchema): string {
  const low = schema.exclusiveMinimum ?? schema.minimum;
  const high = schema.exclusiveMaximum ?? schema.maximum;
  const openLow = schema.exclusiveMinimum !== undefined;
  const openHigh = schema.exclusiveMaximum !== undefined;
  const multiple = schema.multipleOf === undefined ? '' : `, a multiple of ${schema.multipleOf}`;
  const bounded = (bound: number | undefined): bound is number =>
    bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  if (bounded(low) && bounded(high)) {
    return ` in ${openLow ? '(' : '['}${low}, ${high}${openHigh ? ')' : ']'}${multiple}`;
  }
  if (bounded(low)) return ` ${openLow ? '>' : '≥'} ${low}${multiple}`;
  if (bounded(high)) return ` ${openHigh ? '<' : '≤'} ${high}${multiple}`;
  return multiple;
}

function join(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
