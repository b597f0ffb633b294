import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtIn } from '../../src/registry/registry.js';
import { PACKAGE_FOLDER } from '../../src/base/package.js';
import { specJsonSchema } from '../../src/experiment/json-schema.js';
import { catalogue } from './support.js';

interface Json {
  readonly [key: string]: Json;
}

describe('spec/json-schema', () => {
  it('is up to date in schema/spec.schema.json (npm run schema)', () => {
    const file = JSON.parse(
      readFileSync(join(PACKAGE_FOLDER, 'schema', 'spec.schema.json'), 'utf8'),
    ) as unknown;
    expect(JSON.parse(JSON.stringify(specJsonSchema(builtIn)))).to.deep.equal(file);
  });

  it('lets a field be swept, but not one that is a list itself', () => {
    const schema = specJsonSchema(catalogue) as Json;
    const steps = schema['$defs']!['step']!['anyOf'] as unknown as Json[];
    const spark = (steps[2]!['properties']!['spark']!['anyOf'] as unknown as Json[])[1]!['properties']!;
    expect(spark['ratio']).to.deep.include({
      anyOf: [
        { type: 'number', minimum: 0, exclusiveMaximum: 1 },
        { type: 'array', items: { type: 'number', minimum: 0, exclusiveMaximum: 1 }, minItems: 1 },
      ],
    });
    expect(spark['layers']).to.include({ type: 'array' });
  });

  it('lets an axis of the top level be a single value', () => {
    const context = (specJsonSchema(catalogue) as Json)['properties']!['context']!;
    const [single, list] = context['anyOf'] as unknown as Json[];
    expect(single).to.include({ type: 'integer' });
    expect(list).to.deep.include({ type: 'array', items: single });
  });
});
