/**
 * A limit on how long a function may run that follows a model's files: their regular expressions, their templates.
 *
 * Decides how it is stopped: by the runtime, in the middle of whatever it does. Knows nothing of what it does.
 */
import { type Context, createContext, Script } from 'node:vm';

/** No text of a few words takes as long, on a busy machine either. */
const LEAST_MS = 2000;
/** Far slower than any tokenizer is on any machine. */
const MS_PER_CHARACTER = 0.02;

let call: { readonly script: Script; readonly context: Context } | undefined;

/**
 * What `run` returns, or throws.
 *
 * @param length characters that it works on: longer texts may take longer
 * @throws Error where it takes too long; what it was doing is then left half done
 */
export function withinTime<T>(length: number, run: () => T): T {
  call ??= { script: new Script('run()'), context: createContext({}) };
  const { script, context } = call;
  const timeout = LEAST_MS + Math.ceil(MS_PER_CHARACTER * length);
  context['run'] = run;
  try {
    return script.runInContext(context, { timeout }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new Error(`it does not end in ${Math.round(timeout / 1000)} seconds`, { cause: error });
  }
}
