import { expect } from 'chai';
import { kernelForm } from '../../src/kernels/index.js';
import { engineIdentity } from '../../src/queue/identity.js';
import { factsOf } from '../../src/runner/engine-facts.js';

describe('factsOf', () => {
  it('names the kernels among the versions, by which workers and shards are compared', () => {
    const facts = factsOf({ name: 'wasm', threads: 1, versions: { tfjs: '4' } });
    expect(facts).to.deep.equal({
      name: 'wasm',
      threads: 1,
      versions: { tfjs: '4', kernels: kernelForm() },
    });
    expect(engineIdentity(facts)['versions of the engine']).to.equal(`kernels ${kernelForm()}, tfjs 4`);
  });
});
