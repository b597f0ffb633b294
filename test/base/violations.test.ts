import { expect } from 'chai';
import * as z from 'zod';
import { insidePath } from '../../src/base/inside-path.js';
import { violations } from '../../src/base/violations.js';

describe('violations', () => {
  const told = (schema: z.ZodType, value: unknown): string => {
    const { error } = schema.safeParse(value);
    if (error === undefined) throw new Error('nothing is wrong with it');
    return violations(schema, value, error);
  };

  it('name the field, what was expected and what was found', () => {
    const schema = z.strictObject({
      name: z.string(),
      count: z.int().min(1).nullish(),
      kind: z.enum(['a', 'b']),
      parts: z.array(z.object({ bytes: z.number() })).min(1),
    });
    expect(told(schema, {})).to.equal(
      'name: expected a string, found nothing; kind: expected "a" or "b", found nothing; parts: expected a list (each a mapping), found nothing',
    );
    const good = { name: 'x', kind: 'a', parts: [{ bytes: 1 }] };
    expect(told(schema, { ...good, count: 0 })).to.equal('count: expected an integer ≥ 1 or null, found 0');
    expect(told(schema, { ...good, parts: [{ bytes: '1' }] })).to.equal(
      'parts.0.bytes: expected a number, found "1"',
    );
    expect(told(schema, { ...good, parts: [] })).to.equal(
      'parts: expected a length of at least 1, found an empty list',
    );
    expect(told(schema, { ...good, more: 1, 'and\n': 2 })).to.equal(String.raw`unknown key "more", "and\n"`);
    expect(told(z.object({ any: z.unknown() }), {})).to.equal('any: expected a value, found nothing');
    expect(told(schema, [])).to.equal('expected a mapping, found an empty list');
  });

  it('tell forms, lengths, keys and rules of their own', () => {
    const schema = z.object({
      key: z.string().regex(/^[0-9a-f]{2}$/),
      short: z.string().max(2),
      files: z.record(insidePath, z.number()),
      even: z.int().refine((n) => n % 2 === 0, 'expected an even number'),
    });
    const value = { key: 'x', short: 'xyz', files: { '../a': 1 }, even: 3 };
    expect(told(schema, value).split('; ')).to.deep.equal([
      'key: expected a text of the form /^[0-9a-f]{2}$/, found "x"',
      'short: expected a length of at most 2, found "xyz"',
      'files.../a: expected a path inside the folder',
      'even: expected an even number, found 3',
    ]);
  });

  it('are counted where they are many', () => {
    const schema = z.array(z.string());
    expect(told(schema, [1, 2, 3, 4, 5, 6, 7])).to.match(/^0: expected.*; 4: expected [^;]*; and 2 more$/);
  });
});
