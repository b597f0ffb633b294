import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import * as z from 'zod';
import { isDeep, parseJson, validate } from '../../src/base/json.js';
import { userError } from '../model/support.js';

describe('JSON of others', () => {
  it('is parsed, or refused with its place', () => {
    expect(parseJson('{"a": [1]}', 'a.json')).to.deep.equal({ a: [1] });
    expect(() => parseJson('{', 'a.json'))
      .to.throw(UserError, 'is not valid JSON')
      .with.property('place', 'a.json');
  });

  it('is told what is wrong with it, and what helps', () => {
    const schema = z.looseObject({ model_type: z.string() });
    expect(validate(schema, { model_type: 'llama', more: 1 }, 'a.json')).to.deep.equal({
      model_type: 'llama',
      more: 1,
    });
    expect(userError(() => validate(schema, {}, 'a.json')).format()).to.match(
      /^a\.json {2}model_type: expected a string, found nothing\n {2}The file may be damaged, .*fetch it again\.$/,
    );
  });

  it('is refused where it is nested so deeply that whoever walks through it would run out of stack', () => {
    for (const text of [
      '['.repeat(200_000) + ']'.repeat(200_000),
      '{"a":'.repeat(200) + '1' + '}'.repeat(200),
    ]) {
      expect(() => parseJson(text, 'a.json')).to.throw(UserError, 'is nested more than 100 levels deep');
    }
    expect(isDeep(JSON.parse('['.repeat(100) + ']'.repeat(100)))).to.equal(false);
    expect(isDeep(JSON.parse('['.repeat(101) + ']'.repeat(101)))).to.equal(true);
    expect(isDeep(null)).to.equal(false);
  });
});
