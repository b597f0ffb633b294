import { expect } from 'chai';
import { kernelForm } from '../../src/kernels/index.js';
import { engineIdentity } from '../../src/queue/identity.js';
import { engineRecord } from '../../src/runner/engine-record.js';

describe('engineRecord', () => {
  it('names the kernels among the versions, by which workers and shards are compared', () => {
    const record = engineRecord({ name: 'wasm', threads: 1, versions: { tfjs: '4' } });
    expect(record).to.deep.equal({
      name: 'wasm',
      threads: 1,
      versions: { tfjs: '4', kernels: kernelForm() },
    });
    expect(engineIdentity(record)['versions of the engine']).to.equal(`kernels ${kernelForm()}, tfjs 4`);
  });
});
