import { expect } from 'chai';
import * as z from 'zod';
import { describeSchema, describeValue, inputSchema, subSchema, takesList } from '../../src/base/describe.js';

describe('describe', () => {
  it('writes ranges as intervals', () => {
    const words = (schema: z.ZodType): string => describeSchema(inputSchema(schema));
    expect(words(z.number().min(0).lt(1))).to.equal('a number in [0, 1)');
    expect(words(z.number().gt(0).max(1))).to.equal('a number in (0, 1]');
    expect(words(z.number().gt(0))).to.equal('a number > 0');
    expect(words(z.int().min(1))).to.equal('an integer ≥ 1');
    expect(words(z.int())).to.equal('an integer');
    expect(words(z.int().max(4).multipleOf(2))).to.equal('an integer ≤ 4, a multiple of 2');
    expect(words(z.enum(['a', 'b', 'c']))).to.equal('"a", "b" or "c"');
    expect(words(z.union([z.boolean(), z.literal('auto')]))).to.equal('true or false or "auto"');
    expect(words(z.array(z.string()))).to.equal('a list (each a string)');
  });

  it('writes values as the user wrote them, shortened', () => {
    expect(describeValue(1.2)).to.equal('1.2');
    expect(describeValue(Infinity)).to.equal('Infinity');
    expect(describeValue('x')).to.equal('"x"');
    expect(describeValue(undefined)).to.equal('nothing');
    expect(describeValue([1, 2])).to.equal('a list of 2');
    expect(describeValue({ a: 1, b: 2 })).to.equal('a mapping with a, b');
    expect(describeValue('y'.repeat(500))).to.have.length.below(70);
  });

  it('knows which parameters are lists themselves', () => {
    const properties = inputSchema(
      z.strictObject({
        a: z.array(z.int()).optional(),
        b: z.int().default(1),
        c: z.union([z.int(), z.array(z.int())]),
      }),
    ).properties!;
    expect(Object.values(properties).map(takesList)).to.deep.equal([true, false, true]);
  });

  it('finds the schema of a place: in lists, records, and where several are taken', () => {
    const json = inputSchema(
      z.object({
        a: z.record(z.string(), z.object({ b: z.array(z.int()) })).nullish(),
        c: z.looseObject({}),
      }),
    );
    expect(subSchema(json, ['a', 'any', 'b', 3])?.type).to.equal('integer');
    expect(subSchema(json, ['a', 'any', 'c'])).to.equal(undefined);
    expect(subSchema(json, ['c', 'any'])).to.deep.equal({});
  });
});
