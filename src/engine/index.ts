/**
 * Opens an engine: a TensorFlow.js backend behind the op vocabulary.
 *
 * Each backend is loaded once per process, on demand, because loading takes seconds.
 */
import { UserError } from '../base/errors.js';
import { nativeAbsence, openNative } from './native/open.js';
import { openPortable } from './open-portable.js';
import { type Engine, ENGINE_NAMES, type EngineName } from './types.js';

export interface EngineOptions {
  /**
   * Threads of the kernels that decode, and of TensorFlow on `native`; at least 1, default `TF_NUM_INTRAOP_THREADS` or all
   * processors. TensorFlow reads it once per process. A prefill on `wasm` and `cpu` has one thread whatever is asked.
   */
  readonly threads?: number;
}

/** In the order of preference of `auto`; `cpu` is for tests and only taken by name. */
const PREFERRED = ['gpu', 'native'] as const;

const opened = new Map<EngineName, Promise<Engine>>();

/**
 * The engine of that name; `auto` is the first of gpu, native and wasm that is installed.
 *
 * Opening an engine again gives the same one.
 * @throws UserError where the name is unknown, the engine is missing or broken, or it already runs with
 * another number of threads.
 */
export async function openEngine(name: EngineName | 'auto', options: EngineOptions = {}): Promise<Engine> {
  const { threads } = options;
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new UserError(`Expected threads to be a whole number of at least 1, got ${threads}`, {
      exitCode: 2,
    });
  }
  if (name === 'auto') {
    // Only what is absent is passed over: a broken installation must not silently cost a factor of ten.
    return openEngine(PREFERRED.find((kind) => nativeAbsence(kind) === undefined) ?? 'wasm', options);
  }
  if (!ENGINE_NAMES.includes(name)) {
    throw new UserError(`unknown engine ${JSON.stringify(name)}`, {
      hint: `engines: auto, ${ENGINE_NAMES.join(', ')}`,
      exitCode: 2,
    });
  }
  let opening = opened.get(name);
  if (opening === undefined) {
    opening = name === 'native' || name === 'gpu' ? openNative(name, threads) : openPortable(name, threads);
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
  }
  const engine = await opening;
  if (threads !== undefined && threads !== engine.threads) {
    throw new UserError(
      `engine ${name} already runs with ${engine.threads} threads, ${threads} were asked for`,
    );
  }
  return engine;
}

export { checkModelFits } from './limits.js';
export type { Engine, EngineName, Ops, Tensor } from './types.js';
