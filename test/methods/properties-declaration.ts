/** What every method says of itself: texts, described parameters, and parameters that a spec can write. */
import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { UserError } from '../../src/base/errors.js';
import { SpecDocument } from '../../src/experiment/document.js';
import { inputSchema, type JsonSchema } from '../../src/base/describe.js';
import { resolveSpec } from '../../src/experiment/load.js';
import type { MethodEntry, Params } from './every-method.js';
import type { Registry } from './tiny-run.js';

export function declarationProperties(entry: MethodEntry, registry: Registry): void {
  const method = registry.get(entry.method)!;
  const written = [...entry.samples, ...entry.identity, ...entry.rising, ...entry.refused];

  it('says what it is, from which paper, what it stores and what differs from the released code', () => {
    expect(method.name).to.equal(entry.method);
    expect(method.notes).to.not.be.empty;
    for (const text of [method.summary, method.paper, method.stores, ...method.notes]) {
      expect(text.trim()).to.equal(text).and.not.equal('');
    }
  });

  it('describes every parameter, and takes no others', () => {
    expectDescribed(inputSchema(method.params), '');
    expect(method.params.safeParse({ ...written[0], no_such_parameter: 1 }).success).to.equal(false);
  });

  it('names parameters of its own as those that set its size', () => {
    expect(method.sizedBy).to.not.be.empty;
    expect(Object.keys(inputSchema(method.params).properties!)).to.include.members([...method.sizedBy]);
  });

  it('has defaults that its own schema accepts', () => {
    for (const params of written) {
      const parsed = method.params.parse(params);
      expect(method.params.parse(parsed)).to.deep.equal(parsed);
    }
  });

  it('can be written in a spec, each sample under a label of its own', () => {
    const cache = entry.samples.map((params) => ({ [entry.method]: params }));
    const labels = labelsOf(cache, registry);
    expect(labels).to.have.length(1 + entry.samples.length);
    expect(labelsOf(labels, registry)).to.deep.equal(labels);
  });

  it('has labels that read back as themselves', () => {
    const accepted = arbitraryParams(method.params).filter((p) => labelOf(p) !== undefined);
    fc.assert(
      fc.property(accepted, (params) => {
        const label = labelOf(params)!;
        expect(labelsOf([label], registry)).to.deep.equal(['full', label]);
      }),
      { numRuns: 25 },
    );
  });

  /** Undefined where the method refuses the parameters. */
  function labelOf(params: Params): string | undefined {
    try {
      return labelsOf([{ [entry.method]: params }], registry)[1];
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }
}

/** Every field of a schema, and of the objects in it. */
function expectDescribed(schema: JsonSchema, place: string): void {
  expect(schema.properties, `${place} is no object`).to.not.equal(undefined);
  expect(schema, place).to.have.property('additionalProperties', false);
  for (const [name, field] of Object.entries(schema.properties!)) {
    const path = place === '' ? name : `${place}.${name}`;
    expect(field.description ?? '', path).to.not.equal('');
    if (field.properties !== undefined) expectDescribed(field, path);
  }
}

/** Labels of the pipelines of a spec, `full` included. */
function labelsOf(cache: readonly (Params | string)[], registry: Registry): string[] {
  const document = SpecDocument.parse(
    JSON.stringify({ name: 'x', model: './model', tasks: ['t'], context: 1024, cache }),
    'every-method.yaml',
  );
  const tasks = new Map([['t', { params: z.strictObject({}), family: 'f' }]]);
  const spec = resolveSpec(document, {
    catalogue: { methods: registry, tasks, models: [] },
    directory: '/somewhere',
  });
  return spec.pipelines.map(({ label }) => label);
}

/** Parameters of the types and ranges that the schema names; some may still be refused together. */
function arbitraryParams(schema: z.ZodType): fc.Arbitrary<Params> {
  const { properties = {}, required = [] } = inputSchema(schema);
  const fields: [string, fc.Arbitrary<unknown>][] = [['layers', fc.constant('all')]];
  for (const [name, property] of Object.entries(properties)) {
    const values = arbitraryValue(property);
    if (values !== undefined) fields.push([name, values]);
  }
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] });
}

function arbitraryValue(property: JsonSchema): fc.Arbitrary<unknown> | undefined {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = property;
  const [low, high] = [minimum ?? exclusiveMinimum ?? 0, maximum ?? exclusiveMaximum ?? 64];
  if (property.enum !== undefined) return fc.constantFrom(...property.enum);
  switch (property.type) {
    case 'integer':
      return fc.integer({ min: low, max: Math.min(high, low + 64) });
    case 'number':
      return fc.double({
        min: low,
        max: high,
        noNaN: true,
        minExcluded: minimum === undefined,
        maxExcluded: maximum === undefined,
      });
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const items = property.items && arbitraryValue(property.items);
      return items && fc.array(items, { minLength: 1, maxLength: 3 });
    }
    default:
      return undefined;
  }
}
