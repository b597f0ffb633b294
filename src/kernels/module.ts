/**
 * Finds, loads and instantiates the compiled kernels.
 *
 * They lie in `build/` of this package, which `npm run build` makes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.js';
import { chooseKernels, compileRelaxed, type CompiledKernels, type KernelForm } from './form.js';
import { KERNEL_CALLS, type KernelCall } from './calls.js';
import { Instance, type WasmMemory } from './webassembly.js';

type Kernel = (...args: number[]) => void;

/** What `assembly/index.ts` exports. */
export interface KernelExports extends Readonly<Record<KernelCall, Kernel>> {
  readonly heapBase: () => number;
  readonly scratchBytes: () => number;
  readonly useScratch: (at: number) => void;
  readonly work: (tape: number, shift: number) => void;
  readonly rankRows: Kernel;
  readonly roundToHalves: Kernel;
  readonly packSigns: Kernel;
  readonly packKept: (...args: number[]) => number;
}

const EXPORTS: readonly (keyof KernelExports)[] = [
  ...(Object.keys(KERNEL_CALLS) as KernelCall[]),
  'heapBase',
  'scratchBytes',
  'useScratch',
  'work',
  'rankRows',
  'roundToHalves',
  'packSigns',
  'packKept',
];

const FILES: Readonly<Record<KernelForm, string>> = { simd: 'kernels.wasm', 'simd+fma': 'kernels-fma.wasm' };
const MATMUL_FILE = 'matmul-fma.wasm';

/** What `assembly/matmul.ts` exports. */
export interface MatMulExports {
  readonly panelBytes: (k: number, n: number) => number;
  readonly multiplyMany: Kernel;
  readonly multiplyFew: Kernel;
}

let compiled: CompiledKernels | undefined;

/** The form of this process's kernels. Throws UserError where they are missing. */
export function kernelForm(): KernelForm {
  return (compiled ??= chooseKernels((form) => readKernels(builtPath(FILES[form])))).form;
}

/** Products of matrices on a memory that is not the kernels' own. Undefined where this process's kernels do not fuse. */
export function instantiateMatMul(memory: WasmMemory): MatMulExports | undefined {
  if (kernelForm() !== 'simd+fma') return undefined;
  const module = compileRelaxed(readKernels(builtPath(MATMUL_FILE)))!;
  return new Instance(module, { env: { memory } }).exports as unknown as MatMulExports;
}

/** The compiled kernels, for threads that make instances of their own. */
export function kernelModule(): object {
  kernelForm();
  return compiled!.module;
}

/** A new instance of the kernels on `memory`. Throws UserError where they are missing or from other sources. */
export function instantiateKernels(memory: WasmMemory): KernelExports {
  const path = builtPath(FILES[kernelForm()]);
  const exports = new Instance(compiled!.module, { env: { memory } }).exports;
  const missing = EXPORTS.filter((name) => typeof exports[name] !== 'function');
  if (missing.length > 0) {
    throw new UserError(`the compiled kernels lack ${missing.join(', ')}`, {
      place: path,
      hint: 'They were built from other sources; run `npm run build:kernels`.',
    });
  }
  return exports as unknown as KernelExports;
}

/** In `build/` beside the package.json above this file, whether it runs from `src/` or from `dist/`. */
function builtPath(file: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'build', file);
}

function readKernels(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new UserError('the compiled kernels cannot be read', {
      place: path,
      hint: 'In a checkout, build them with `npm run build:kernels`.',
      cause,
    });
  }
}
