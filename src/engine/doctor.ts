/**
 * Which engines this machine has, and what helps where one is missing.
 *
 * Decides what counts as ready: for the TensorFlow engines a build that is there; whether it computes right is
 * checked by `setup`, which may be run again. Loads no tensor library.
 */
import { availableParallelism } from 'node:os';
import { nativeFolder, type NativeKind, readMarker } from './native-folder.js';
import { locateNative } from './open-native.js';
import type { EngineName } from './types.js';

export interface EngineReport {
  readonly name: EngineName;
  readonly available: boolean;
  /** Where it comes from, or why it is not there. */
  readonly found: string;
  readonly threads: number;
  /** What helps; empty where nothing is wrong. */
  readonly advice: string;
}

/** All engines, in the order of preference of `auto`. */
export function inspectEngines(): EngineReport[] {
  return [
    inspectNative('gpu'),
    inspectNative('native'),
    { name: 'wasm', available: true, found: 'part of this package', threads: 1, advice: '' },
    { name: 'cpu', available: true, found: 'part of this package; for tests, slow', threads: 1, advice: '' },
  ];
}

function inspectNative(kind: NativeKind): EngineReport {
  const location = locateNative(kind);
  const threads = availableParallelism();
  if (location.path === undefined) {
    const advice =
      kind === 'gpu'
        ? 'with an NVIDIA GPU: spark-eval setup gpu'
        : 'spark-eval setup native (about ten times faster than wasm)';
    return { name: kind, available: false, found: location.reason, threads, advice };
  }
  const marker = location.from === 'setup' ? readMarker(nativeFolder(kind)) : undefined;
  const found =
    marker === undefined
      ? 'the installed npm package'
      : `TensorFlow ${marker.tensorflow}, built by setup: ${nativeFolder(kind)}`;
  return { name: kind, available: true, found, threads, advice: '' };
}
