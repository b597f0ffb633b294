import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { chooseKernels, FORM_VARIABLE, type KernelForm } from '../../src/kernels/form.js';
import { kernelForm } from '../../src/kernels/index.js';
import { Instance, Memory } from '../../src/kernels/webassembly.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function read(form: KernelForm): Uint8Array {
  return readFileSync(`${ROOT}build/${form === 'simd' ? 'kernels' : 'kernels-fma'}.wasm`);
}

function withVariable<T>(value: string | undefined, f: () => T): T {
  const before = process.env[FORM_VARIABLE];
  try {
    if (value === undefined) Reflect.deleteProperty(process.env, FORM_VARIABLE);
    else process.env[FORM_VARIABLE] = value;
    return f();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, FORM_VARIABLE);
    else process.env[FORM_VARIABLE] = before;
  }
}

/** Of x · y + sum, whose product has a bit more than float32. */
function probe(module: object): unknown {
  const memory = new Memory({ initial: 4, maximum: 4, shared: true });
  const { fusedProbe } = new Instance(module, { env: { memory } }).exports;
  return (fusedProbe as (...args: number[]) => number)(1 + 2 ** -12, 1 + 2 ** -12, -1);
}

describe('chooseKernels', () => {
  it('takes the form that it names: one rounding or two', () => {
    const plain = withVariable('plain', () => chooseKernels(read));
    expect(plain.form).to.equal('simd');
    expect(probe(plain.module)).to.equal(2 ** -11);
    const { form, module } = withVariable(undefined, () => chooseKernels(read));
    // the sum, 2⁻¹¹ + 2⁻²⁴, has room for the last bit of the product
    expect(probe(module)).to.equal(form === 'simd' ? 2 ** -11 : 2 ** -11 + 2 ** -24);
  });

  it('takes the plain form where the other does not compile, or does not fuse', () => {
    const choose = (bytes: Uint8Array): KernelForm =>
      withVariable(undefined, () => chooseKernels((form) => (form === 'simd' ? read(form) : bytes))).form;
    expect(choose(Uint8Array.of(0, 97, 115, 109, 9, 0, 0, 0))).to.equal('simd');
    expect(choose(read('simd'))).to.equal('simd');
  });

  it('refuses a form that it does not know', () => {
    expect(() => withVariable('fast', () => chooseKernels(read))).to.throw(
      UserError,
      'unknown kernels "fast"',
    );
  });
});

describe('the plain kernels', () => {
  it('hold what the fused ones are held to', function () {
    if (kernelForm() === 'simd') this.skip(); // all tests run with them
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/mocha/bin/mocha.js', 'test/{kernels,cache}/**/*.test.ts'],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, [FORM_VARIABLE]: 'plain', MOCHA_COUNTS_FILE: undefined },
      },
    );
    expect(status, stdout + stderr).to.equal(0);
    expect(stdout).to.match(/[1-9]\d* passing/);
  }).timeout(300_000);
});
