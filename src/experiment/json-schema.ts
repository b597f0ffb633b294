/**
 * The JSON Schema of a spec file, for editors: sweeps and the short forms of tasks and pipelines included.
 *
 * It is made from the same zod schemas that validate a run, so that the two cannot differ.
 */
import * as z from 'zod';
import { inputSchema, type JsonSchema, takesList } from '../base/describe.js';
import { ALL_LAYERS, LAYERS } from '../methods/types.js';
import { FULL } from './label.js';
import { ALL_ROWS, AXES, specSchema } from './schema.js';
import { OWN_FAMILY } from './tasks.js';
import type { SpecCatalogue } from './types.js';

type Json = Record<string, unknown>;

const SAMPLES: Json = { anyOf: [{ type: 'integer', minimum: 1, maximum: 1_000_000 }, { const: ALL_ROWS }] };

/** What any step takes beside its method's parameters. */
const STEP_FIELDS: Record<string, Json> = {
  [LAYERS]: { const: ALL_LAYERS, description: 'all: act on sliding layers too, which are left alone else' },
};

/** The schema of spec files that name what is in the catalogue. */
export function specJsonSchema(catalogue: Pick<SpecCatalogue, 'methods' | 'tasks'>): Json {
  const schema = z.toJSONSchema(specSchema, { io: 'input' }) as Json & { properties: Record<string, Json> };
  const properties = { ...schema.properties };
  properties['tasks'] = { ...properties['tasks'], items: { $ref: '#/$defs/task' } };
  properties['cache'] = { ...properties['cache'], items: { $ref: '#/$defs/pipeline' } };
  for (const axis of AXES) properties[axis] = oneOrList(properties[axis]!);
  return { ...schema, title: 'spark-eval spec', properties, $defs: definitions(catalogue) };
}

function definitions({ methods, tasks }: Pick<SpecCatalogue, 'methods' | 'tasks'>): Json {
  const names = [...tasks.keys()];
  const families = [...new Set([...tasks.values()].map((task) => task.family))];
  const sharedBy = (family: string): JsonSchema =>
    shared(
      [...tasks.values()].filter((task) => task.family === family).map((task) => inputSchema(task.params)),
    );
  const fields = [
    ...families.map((family) => [family, sharedBy(family)] as const),
    ...[...tasks].map(([name, task]) => [name, inputSchema(task.params)] as const),
  ];
  return {
    pipeline: {
      anyOf: [
        { const: FULL },
        { $ref: '#/$defs/step' },
        { type: 'array', items: { $ref: '#/$defs/step' }, minItems: 1 },
      ],
    },
    step: {
      anyOf: [
        { enum: [...methods.keys()] },
        labels([...methods.keys()], '\\+'),
        named([...methods].map(([name, method]) => [name, swept(inputSchema(method.params), STEP_FIELDS)])),
      ],
    },
    task: {
      anyOf: [
        { enum: [...families, ...names] },
        labels(names),
        named(fields.map(([name, params]) => [name, swept(params, { samples: SAMPLES })])),
        {
          type: 'object',
          properties: { task: withList({ enum: [...families, ...names] }) },
          required: ['task'],
        },
        ...(families.includes(OWN_FAMILY) ? [ownObject(names, sharedBy(OWN_FAMILY))] : []),
      ],
    },
  };
}

/** `name(parameter=value,…)`, as tables print it; several of them where a mark joins them. */
function labels(names: readonly string[], mark?: string): Json {
  const one = `(${names.map((name) => name.replaceAll(/[.+*?^$()[\]{}|\\]/g, '\\$&')).join('|')})(\\(.*\\))?`;
  return { type: 'string', pattern: mark === undefined ? `^${one}$` : `^${one}(${mark}${one})*$` };
}

/** `NAME: {fields}`. */
function named(entries: readonly (readonly [string, Json])[]): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, fields]) => [name, { anyOf: [{ type: 'null' }, fields] }]),
    ),
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  };
}

/** The fields that all of the schemas have: what a family may be given. */
function shared(schemas: readonly JsonSchema[]): JsonSchema {
  const [first, ...others] = schemas;
  const common = Object.entries(first?.properties ?? {}).filter(([key]) =>
    others.every((other) => other.properties?.[key] !== undefined),
  );
  return { properties: Object.fromEntries(common) };
}

/** `{ file: …, scorer: … }`: data of the user's own. */
function ownObject(names: readonly string[], params: JsonSchema): Json {
  const prefix = `${OWN_FAMILY}/`;
  const scorers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const object = swept(params, { scorer: withList({ enum: scorers }), samples: SAMPLES });
  return { ...object, required: ['file', 'scorer'] };
}

/** An object schema in which every field that takes no list of its own may be a list of values. */
function swept(schema: JsonSchema, own: Record<string, Json>): Json {
  const properties = Object.entries(schema.properties ?? {}).map(([key, property]) => [
    key,
    takesList(property) ? property : withList(property as Json),
  ]);
  return {
    type: 'object',
    properties: { ...own, ...(Object.fromEntries(properties) as Json) },
    required: schema.required ?? [],
    additionalProperties: false,
  };
}

/** `[X]` as `X or [X]`. */
function oneOrList(list: Json): Json {
  const { description, default: preset, ...array } = list;
  const shortest = Array.isArray(preset) && preset.length === 1 ? (preset[0] as unknown) : preset;
  return {
    description,
    ...(preset === undefined ? {} : { default: shortest }),
    anyOf: [array['items'], array],
  };
}

/** `X` as `X or [X]`. */
function withList(single: Json): Json {
  const { description, default: preset, ...value } = single;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [value, { type: 'array', items: value, minItems: 1 }],
  };
}
