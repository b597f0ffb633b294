/**
 * Finds and opens TensorFlow engines: `native` (processor) and `gpu` (CUDA).
 *
 * What `spark-eval setup` built comes first: it has a current TensorFlow, the published package one of 2022.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { UserError } from '../../base/errors.js';
import { processors } from '../../base/processors.js';
import { hasNvidiaDriver } from './nvidia.js';
import { nativeFolder, type NativeKind, NATIVE_PACKAGES, packageFolder, readMarker } from './folder.js';
import { replaceNativeMatMul } from './matmul.js';
import { restoreRemovedUtil } from './removed-util.js';
import { createOps } from '../ops.js';
import { loadQuietCore } from '../quiet.js';
import type { Engine, TfNamespace } from '../types.js';

const require = createRequire(import.meta.url);

/** A folder of tfjs-node: one that `spark-eval setup` built, or a package that the user installed beside the program. */
interface FoundNative {
  readonly path: string;
  readonly from: 'setup' | 'package';
}

export type NativeLocation = FoundNative | { readonly path: undefined; readonly reason: string };

/**
 * Where the package of an engine is, without loading it.
 *
 * @param beside a module of the program, beside which packages are looked for
 */
export function locateNative(kind: NativeKind, beside: string = import.meta.url): NativeLocation {
  if (kind === 'gpu' && !hasNvidiaDriver()) {
    return { path: undefined, reason: 'no NVIDIA driver is loaded on this machine' };
  }
  const folder = nativeFolder(kind);
  if (readMarker(folder) !== undefined) return { path: packageFolder(folder, kind), from: 'setup' };
  const installed = installedPackage(kind, beside);
  if (installed !== undefined) return { path: installed, from: 'package' };
  return {
    path: undefined,
    reason: `${folder} holds no finished build, and ${NATIVE_PACKAGES[kind]} is not installed`,
  };
}

/** Why an engine is not there, or undefined where it is. */
export function nativeAbsence(kind: NativeKind): string | undefined {
  const location = locateNative(kind);
  return location.path === undefined ? location.reason : undefined;
}

/** Folder of the installed npm package, where its binding was built or downloaded too. */
function installedPackage(kind: NativeKind, beside: string): string | undefined {
  try {
    const manifest = createRequire(beside).resolve(`${NATIVE_PACKAGES[kind]}/package.json`);
    const { find } = createRequire(manifest)('@mapbox/node-pre-gyp') as { find: (file: string) => string };
    return existsSync(find(manifest)) ? dirname(manifest) : undefined;
  } catch {
    return undefined;
  }
}

/** What this file reads of tfjs-node beyond tfjs-core. */
interface TfjsNode {
  readonly version: Readonly<Record<string, string>>;
  backend(): { readonly binding: { readonly TF_Version: string }; readonly isUsingGpuDevice: boolean };
}

/**
 * @param threads threads of one operation
 * @throws UserError where the package is missing or does not load, or no GPU is found.
 */
export async function openNative(kind: NativeKind, threads: number | undefined): Promise<Engine> {
  const location = locateNative(kind);
  if (location.path === undefined) {
    throw new UserError(`engine ${kind} is not available: ${location.reason}`, {
      hint: `spark-eval setup ${kind} builds it; --engine wasm needs nothing`,
    });
  }
  await loadQuietCore();
  const count = threads ?? threadsFromEnvironment() ?? processors();
  const tf = withThreads(count, () => load(kind, location));
  const backend = tf.backend();
  if (kind === 'gpu' && !backend.isUsingGpuDevice) {
    throw new UserError('engine gpu is not available: TensorFlow loads, but finds no CUDA device', {
      hint: 'nvidia-smi must list one; --engine native computes on the processor',
    });
  }
  const { version } = tf;
  replaceNativeMatMul(tf);
  const ops = createOps(tf, 'tensorflow');
  return {
    name: kind,
    ops,
    versions: {
      tfjs: version['tfjs-core']!,
      'tfjs-node': version['tfjs-node']!,
      tensorflow: backend.binding.TF_Version,
    },
    threads: count,
    fastExp: true,
  };
}

const THREADS = 'TF_NUM_INTRAOP_THREADS';

/** TensorFlow reads the number while it loads. Processes started later must not inherit it: each decides for itself. */
function withThreads<T>(count: number, f: () => T): T {
  const before = process.env[THREADS];
  process.env[THREADS] = String(count);
  try {
    return f();
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, THREADS);
    else process.env[THREADS] = before;
  }
}

function load(kind: NativeKind, { path, from }: FoundNative): TfjsNode & TfNamespace {
  restoreRemovedUtil();
  try {
    return require(path) as TfjsNode & TfNamespace;
  } catch (cause) {
    throw new UserError(
      `engine ${kind} does not load: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        place: path,
        hint:
          from === 'setup'
            ? `spark-eval setup ${kind} --force builds it again`
            : `spark-eval setup ${kind} builds one that is taken before it`,
        cause,
      },
    );
  }
}

/** Threads that TensorFlow is told by its environment variable, where it names a valid number. */
export function threadsFromEnvironment(): number | undefined {
  const count = Number(process.env[THREADS]);
  return Number.isSafeInteger(count) && count >= 1 ? count : undefined;
}
