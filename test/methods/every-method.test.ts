/** The shared list of methods crossed with the shared properties. */
import { expect } from 'chai';
import { methods } from '../../src/methods/built-in.js';
import { everyMethod } from './every-method.js';
import { describeMethod } from './properties.js';

describe('every method', () => {
  it('of the registry is in the list, once', () => {
    expect(everyMethod.map(({ method }) => method).sort()).to.deep.equal([...methods.keys()].sort());
  });

  for (const entry of everyMethod) describeMethod(entry, methods);
});
