/**
 * Keeps TensorFlow's and TensorFlow.js's own messages out of the program's output.
 *
 * Must be called before a backend is loaded. Errors are not affected: they are thrown, not printed.
 */
import type { TfNamespace } from './types.js';

/** Loads the project's tfjs-core with its banner and its warnings about repeated registrations switched off. */
export async function loadQuietCore(): Promise<TfNamespace> {
  // Read by the library when it is loaded: 0 all, 1 no info, 2 no warnings, 3 no errors.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const tf = await import('@tensorflow/tfjs-core');
  tf.enableProdMode();
  return tf;
}
