/**
 * Labels read back: `snapkv(ratio=0.5,window=32)+spark(ratio=0.8)` as it stands in tables, pasted into a spec.
 *
 * A label writes texts without quotes, so that the schema of the method or task says where a value ends and what it is.
 */
import type * as z from 'zod';
import { inputSchema, type JsonSchema } from '../base/describe.js';
import type { NestedParams } from '../methods/types.js';
import { parseValue } from './yaml.js';

/** `name(inner)`; `inner` is undefined where there are no parameters. */
export interface Labelled {
  readonly name: string;
  readonly inner: string | undefined;
}

/** What is wrong with a label, in words. */
export class LabelFault extends Error {}

const OPENING = '([{';
const CLOSING = ')]}';

/** The parts of a pipeline's label. Throws LabelFault where it is none. */
export function readSteps(label: string): Labelled[] {
  return cut(label, (text, at) => text[at] === '+').map((part) => readName(part.trim()));
}

/** The name and the parameters of a task's label, or of one step. Throws LabelFault where it is none. */
export function readName(label: string): Labelled {
  const open = label.indexOf('(');
  if (open < 0) return { name: label, inner: undefined };
  const name = label.slice(0, open).trim();
  if (name === '' || !label.endsWith(')')) {
    throw new LabelFault(`expected name(parameter=value,…), got "${label}"`);
  }
  return { name, inner: label.slice(open + 1, -1) };
}

/**
 * The parameters of a label, as they would stand in a spec.
 *
 * @param further keys that may stand beside those of the schema
 * @throws LabelFault where they cannot be read
 */
export function readFields(
  inner: string | undefined,
  schema: z.ZodType,
  {
    nested,
    further = [],
  }: { readonly nested?: NestedParams | undefined; readonly further?: readonly string[] } = {},
): Record<string, unknown> {
  if (inner === undefined || inner.trim() === '') return {};
  const { properties = {} } = inputSchema(schema);
  const values: Record<string, unknown> = {};
  const inside: [string, string][] = [];
  for (const field of cut(inner, fieldEnds(properties, further))) {
    const [, key, mark] = /^\s*([A-Za-z_]\w*)\s*([=(])/.exec(field) ?? [];
    if (key === undefined) throw new LabelFault(`expected parameter=value, got "${field.trim()}"`);
    if (Object.hasOwn(values, key) || inside.some(([other]) => other === key)) {
      throw new LabelFault(`"${key}" is given twice`);
    }
    if (mark === '(') inside.push([key, readName(field.trim()).inner!]);
    else values[key] = readValue(field.slice(field.indexOf('=') + 1), properties[key]);
  }
  for (const [key, text] of inside) {
    const fields = key === nested?.key ? nested.schema(values) : undefined;
    if (fields === undefined) throw new LabelFault(`expected ${key}=value, got "${key}(${text})"`);
    values[key] = readFields(text, fields);
  }
  return values;
}

/** A comma ends a field where another one begins; in a text it may just be a comma. */
function fieldEnds(
  properties: Readonly<Record<string, JsonSchema>>,
  further: readonly string[],
): (text: string, at: number) => boolean {
  const free = Object.values(properties).some(isFreeText);
  const keys = new Set([...Object.keys(properties), ...further]);
  return (text, at) => {
    if (text[at] !== ',') return false;
    const key = /^,\s*([A-Za-z_]\w*)\s*[=(]/.exec(text.slice(at))?.[1];
    return free ? key !== undefined && keys.has(key) : true;
  };
}

function readValue(text: string, property: JsonSchema | undefined): unknown {
  if (property !== undefined && isFreeText(property)) return text;
  try {
    return parseValue(text);
  } catch {
    return text;
  }
}

function isFreeText(property: JsonSchema): boolean {
  return property.type === 'string' && property.enum === undefined && property.const === undefined;
}

/** The text between the marks that stand outside of all brackets; a file name may have one that is not closed. */
function cut(text: string, isMark: (text: string, at: number) => boolean): string[] {
  const parts: string[] = [];
  const balanced = (text.match(/[([{]/g)?.length ?? 0) === (text.match(/[)\]}]/g)?.length ?? 0);
  let [begin, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    depth += turn(text[at]!);
    if ((depth === 0 || !balanced) && isMark(text, at)) {
      parts.push(text.slice(begin, at));
      begin = at + 1;
    }
  }
  return [...parts, text.slice(begin)];
}

/** What a character adds to the number of brackets that are open. */
function turn(character: string): number {
  return OPENING.includes(character) ? 1 : CLOSING.includes(character) ? -1 : 0;
}
