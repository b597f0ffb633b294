/**
 * What `spark-eval doctor` and `spark-eval list engines` say about engines.
 *
 * Nothing that is missing or broken may make the question itself fail.
 */
import { UserError } from '../base/errors.js';
import { processors } from '../base/processors.js';
import { checkPackage } from './check.js';
import { locateNative, threadsFromEnvironment } from './native/open.js';
import type { NativeKind } from './native/folder.js';
import { openPortable } from './open-portable.js';
import { ENGINE_NAMES, type EngineName } from './types.js';

export interface EngineReport {
  readonly name: EngineName;
  readonly available: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** Threads that it would run with; 0 where it is not available. */
  readonly threads: number;
  /** Where it was found, or why it is not available. */
  readonly detail: string;
  /** What the user can do where it is not available. */
  readonly hint: string | undefined;
}

/** A report on every engine, in the order of preference of `auto`. Never throws for what it finds. */
export async function inspectEngines(): Promise<EngineReport[]> {
  return Promise.all(
    ENGINE_NAMES.map(async (name) => {
      try {
        return await (name === 'native' || name === 'gpu' ? inspectNative(name) : inspectPortable(name));
      } catch (error) {
        const hint = error instanceof UserError ? error.hint : undefined;
        return unavailable(name, error instanceof Error ? error.message : String(error), hint);
      }
    }),
  );
}

function unavailable(name: EngineName, detail: string, hint: string | undefined): EngineReport {
  return { name, available: false, versions: {}, threads: 0, detail, hint };
}

async function inspectPortable(name: 'wasm' | 'cpu'): Promise<EngineReport> {
  const { threads, versions } = await openPortable(name);
  const detail = name === 'wasm' ? 'built in' : 'built in; slow, for tests only, taken only by name';
  return { name, available: true, versions, threads, detail, hint: undefined };
}

async function inspectNative(name: NativeKind): Promise<EngineReport> {
  const setup = `spark-eval setup ${name}`;
  const location = locateNative(name);
  if (location.path === undefined) return unavailable(name, location.reason, setup);
  const { path, from } = location;
  let result;
  try {
    result = await checkPackage(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return unavailable(name, `found in ${path}, but: ${error.message}`, `${setup} --force`);
  }
  if (name === 'gpu' && !result.usesGpu) {
    return unavailable(name, `found in ${path}, but TensorFlow finds no CUDA device`, 'check nvidia-smi');
  }
  return {
    name,
    available: true,
    versions: { TensorFlow: result.tensorflow, 'tfjs-node': result.tfjsNode, tfjs: result.tfjs },
    threads: threadsFromEnvironment() ?? processors(),
    detail: `${from === 'setup' ? `built by ${setup}` : 'installed with npm'}: ${path}`,
    hint: undefined,
  };
}
