/**
 * Opens the two engines that need nothing installed: wasm, and cpu for tests.
 *
 * Decides where the wasm files are found. Both have one thread.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createOps } from './ops.js';
import { loadQuietCore } from './quiet.js';
import type { Engine } from './types.js';

/** @throws Error where the backend does not start. */
export async function openPortable(name: 'wasm' | 'cpu'): Promise<Engine> {
  const tf = await loadQuietCore();
  if (name === 'wasm') {
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(main), '/'));
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
  }
  if (!(await tf.setBackend(name))) throw new Error(`the ${name} backend of TensorFlow.js did not start`);
  return {
    name,
    ops: createOps(tf, name),
    versions: { tfjs: tf.version_core },
    threads: 1,
    rowBlock: 1,
  };
}
