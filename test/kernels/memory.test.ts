/** The kernels' memory: growth, the budget, and one instance per process. */
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { openKernels } from '../../src/kernels/index.js';
import { PAGE_BYTES } from '../../src/kernels/webassembly.js';

describe('KernelMemory', () => {
  it('grows on demand and keeps contents', () => {
    const { memory } = openKernels({ maxBytes: 64 * 2 ** 20 });
    const first = memory.alloc(64);
    memory.floats(first, 16).fill(1.5);
    const before = memory.byteLength;
    const second = memory.alloc(before);
    expect(memory.byteLength).to.be.above(before);
    expect([...memory.floats(first, 16)]).to.deep.equal(new Array(16).fill(1.5));
    memory.free(first);
    memory.free(second);
    expect(memory.bytesInUse).to.equal(0);
  });

  it('fails with what is used, asked for and allowed, and works on', () => {
    const { memory } = openKernels({ maxBytes: 16 * PAGE_BYTES });
    const held = memory.alloc(8 * PAGE_BYTES);
    expect(() => memory.alloc(9 * PAGE_BYTES))
      .to.throw(UserError, 'limited to 1.0 MiB; 0.5 MiB in use, 0.6 MiB more asked for')
      .with.property('hint')
      .that.includes('shorter context');
    expect(memory.bytesInUse).to.equal(8 * PAGE_BYTES);
    memory.free(held);
    memory.free(memory.alloc(12 * PAGE_BYTES));
  });

  it('is refused beyond 4 GiB without touching the machine', () => {
    expect(() => openKernels().memory.alloc(2 ** 32)).to.throw(UserError, 'out of cache memory');
  });

  it('leaves room behind the last buffer for the kernels to read past its end', () => {
    const { memory } = openKernels({ maxBytes: 4 * PAGE_BYTES });
    let end = 0;
    try {
      for (;;) end = memory.alloc(16) + 16;
    } catch (error) {
      expect(error).to.be.instanceOf(UserError);
    }
    expect(memory.byteLength - end).to.be.at.least(16);
  });
});

describe('openKernels', () => {
  it('shares one instance, and opens another where a budget is given', () => {
    expect(openKernels()).to.equal(openKernels());
    expect(openKernels({ maxBytes: 2 ** 20 })).to.not.equal(openKernels());
  });
});
