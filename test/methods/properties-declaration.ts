/** What every method says of itself: texts, described parameters, and parameters that a spec can write. */
import { expect } from 'chai';
import * as z from 'zod';
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
    expect(labelsOf(cache, registry)).to.have.length(1 + entry.samples.length);
  });
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
function labelsOf(cache: readonly Params[], registry: Registry): string[] {
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
