/**
 * Opens the two engines that need nothing installed: wasm, and cpu for tests.
 *
 * Loading them must leave no handlers on the process. Both prefill in one thread.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { processors } from '../base/processors.js';
import { threadsFromEnvironment } from './native/open.js';
import { createOps } from './ops.js';
import { loadQuietCore } from './quiet.js';
import type { Engine } from './types.js';
import { replaceWasmMatMul } from './wasm-matmul.js';
import { replaceWasmSlice } from './wasm-slice.js';

/** @throws Error where the backend does not start. */
export async function openPortable(name: 'wasm' | 'cpu', threads?: number): Promise<Engine> {
  const tf = await loadQuietCore();
  if (name === 'wasm') {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(main), '/'));
    replaceWasmSlice(tf);
    replaceWasmMatMul(tf);
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
  }
  const started = await withoutNewHandlers(() => tf.setBackend(name));
  if (!started) throw new Error(`the ${name} backend of TensorFlow.js did not start`);
  return {
    name,
    ops: createOps(tf, name),
    versions: { tfjs: tf.version_core },
    threads: threads ?? threadsFromEnvironment() ?? processors(),
    // exp of wasm is scalar (4 ns an entry), its softmax is not
    fastExp: false,
  };
}

const CRASH_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Takes away the crash handlers that the wasm loader adds: they rethrow whatever any part of the program
 * throws, which prints the loader's minified source (some 25 kB) in front of every crash.
 */
async function withoutNewHandlers<T>(load: () => Promise<T>): Promise<T> {
  const before = CRASH_EVENTS.map((event) => new Set(process.rawListeners(event)));
  try {
    return await load();
  } finally {
    CRASH_EVENTS.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (!before[i]!.has(listener))
          process.removeListener(event, listener as (...args: unknown[]) => void);
      }
    });
  }
}
