/**
 * Which of the two compiled forms of the kernels this process runs.
 *
 * A fused multiply-add rounds once, a plain one twice: results differ in the last bits, so a manifest names the form.
 */
import { setFlagsFromString } from 'node:v8';
import { UserError } from '../base/errors.js';
import { Instance, Memory, Module } from './webassembly.js';

/** `simd`: plain. `simd+fma`: fused. */
export type KernelForm = 'simd' | 'simd+fma';

/** A form and its module. */
export interface CompiledKernels {
  readonly form: KernelForm;
  readonly module: object;
}

/** `plain` runs the plain kernels wherever it is. */
export const FORM_VARIABLE = 'SPARK_EVAL_KERNELS';

/**
 * @param read the bytes of a form's module
 * @throws UserError where the environment asks for another form than there is
 */
export function chooseKernels(read: (form: KernelForm) => Uint8Array): CompiledKernels {
  const asked = process.env[FORM_VARIABLE] ?? '';
  if (asked !== '' && asked !== 'plain') {
    throw new UserError(`unknown kernels ${JSON.stringify(asked)}`, {
      place: FORM_VARIABLE,
      hint: 'It may be "plain", or not set.',
      exitCode: 2,
    });
  }
  const fused = asked === 'plain' ? undefined : compileRelaxed(read('simd+fma'));
  if (fused !== undefined && isFused(fused)) return { form: 'simd+fma', module: fused };
  return { form: 'simd', module: new Module(read('simd')) };
}

/** Node 20 has relaxed SIMD behind a flag, which is set for no longer than it takes; later ones have it. */
const FLAG = 'experimental-wasm-relaxed-simd';

/** Undefined where the engine does not know relaxed SIMD. */
export function compileRelaxed(bytes: Uint8Array): object | undefined {
  const module = tryCompile(bytes);
  if (module !== undefined || Number(process.versions.node.split('.')[0]) !== 20) return module;
  setFlagsFromString(`--${FLAG}`);
  try {
    return tryCompile(bytes);
  } finally {
    setFlagsFromString(`--no-${FLAG}`);
  }
}

function tryCompile(bytes: Uint8Array): object | undefined {
  try {
    return new Module(bytes);
  } catch {
    return undefined;
  }
}

/** Pages that the kernels themselves take, and a little more. */
export const KERNEL_PAGES = 4;

/** (1 + 2⁻¹²)² − (1 + 2⁻¹¹): 2⁻²⁴ where it is rounded once; rounded twice, the product loses its last bit, and all is 0. */
function isFused(module: object): boolean {
  const memory = new Memory({ initial: KERNEL_PAGES, maximum: KERNEL_PAGES, shared: true });
  const { fusedProbe } = new Instance(module, { env: { memory } }).exports;
  const probe = fusedProbe as ((...numbers: number[]) => number) | undefined;
  const x = 1 + 2 ** -12;
  return probe?.(x, x, -(1 + 2 ** -11)) === 2 ** -24;
}
