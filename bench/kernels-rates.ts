/**
 * What one core of this machine can do at most: bytes read from memory and 128-bit float32 instructions per second.
 *
 * Measured are the best pass of two seconds, a search through a buffer that no cache holds, and a loop of independent
 * multiply-adds in registers, compiled here in the form that the kernels run in: one fused instruction each, or a
 * multiplication and an addition.
 */
import { setFlagsFromString } from 'node:v8';
import type { KernelForm } from '../src/kernels/index.js';

/** Named by a variable: its types declare AssemblyScript's globals, which would hold for the whole project. */
const COMPILER: string = 'assemblyscript/asc';

interface Compiler {
  compileString(
    source: string,
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly binary: Uint8Array | null; readonly error: unknown }>;
}

/** Bytes per second. */
export function memoryBandwidth(): number {
  const buffer = Buffer.alloc(256 * 2 ** 20, 2); // written, as pages of zeros are all one page, which a cache holds
  return buffer.length / bestSeconds(() => buffer.indexOf(1));
}

const CHAINS = 12;
const STEPS = 200_000;

/** Instructions of a multiply-add. */
export function instructionsOf(form: KernelForm): 1 | 2 {
  return form === 'simd' ? 2 : 1;
}

/** Lanes of float32 instructions per second: four for an instruction, whether it fuses two operations or is one. */
export async function simdRate(form: KernelForm): Promise<number> {
  const step = (s: string): string =>
    form === 'simd' ? `v128.add<f32>(v128.mul<f32>(${s}, x), y)` : `v128.relaxed_madd<f32>(${s}, x, y)`;
  const sums = Array.from({ length: CHAINS }, (_, i) => `s${i}`);
  // x and y are arguments: constants would be made anew in the loop
  const source = `export function run(n: i32, half: f32, one: f32): f32 {
    const x = f32x4.splat(half);
    const y = f32x4.splat(one);
    ${sums.map((s) => `let ${s} = f32x4.splat(0);`).join('\n')}
    for (; n > 0; n--) {
      ${sums.map((s) => `${s} = ${step(s)};`).join('\n')}
    }
    return f32x4.extract_lane(${sums.reduce((a, b) => `v128.add<f32>(${a}, ${b})`)}, 0);
  }`;
  const { default: asc } = (await import(COMPILER)) as { readonly default: Compiler };
  const { binary, error } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: 'stub',
    enable: form === 'simd' ? ['simd'] : ['simd', 'relaxed-simd'],
  });
  if (binary === null)
    throw new Error(`the loop that measures the SIMD rate did not compile: ${String(error)}`);
  // as src/kernels/form.ts does it
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const { Instance, Module } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const { run } = new Instance(new Module(binary), { env: { abort: () => undefined } }).exports;
  return (CHAINS * STEPS * 4 * instructionsOf(form)) / bestSeconds(() => run(STEPS, 0.5, 1));
}

interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly run: (steps: number, half: number, one: number) => number } };
}

/** Tried for a while, as code is fast only after it has been compiled in the background. */
function bestSeconds(f: () => unknown): number {
  let best = Infinity;
  for (const end = performance.now() + 2000; performance.now() < end;) {
    const started = performance.now();
    f();
    best = Math.min(best, performance.now() - started);
  }
  return best / 1000;
}
