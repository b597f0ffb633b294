/**
 * A limit on the processor time of a function that follows a model's files: their regular expressions, their templates.
 *
 * The runtime can stop code only by the clock, and on a busy machine the clock runs for others too. So what the clock has
 * stopped is run again, with more time, unless it had its share of the processor.
 */
import { readFileSync } from 'node:fs';
import { type Context, createContext, Script } from 'node:vm';

/** No text of a few words takes as long. */
const LEAST_MS = 1000;
/** Far slower than any tokenizer is on any machine. */
const MS_PER_CHARACTER = 0.02;
/** Time by the clock of each attempt, in limits. */
const ATTEMPTS = [1, 3, 10];

let call: { readonly script: Script; readonly context: Context } | undefined;

/** `withinProcessorTime` with the limit of work on a text of `length` characters. */
export function withinTime<T>(length: number, run: () => T): T {
  return withinProcessorTime(LEAST_MS + Math.ceil(MS_PER_CHARACTER * length), run);
}

/**
 * What `run` returns, or throws.
 *
 * @param limitMs processor time that it may take; by the clock, at most ten times as long
 * @param run may be stopped half way and run again from the beginning
 * @throws Error where it takes too long; what it was doing is then left half done
 */
export function withinProcessorTime<T>(limitMs: number, run: () => T): T {
  call ??= { script: new Script('run()'), context: createContext({}) };
  const { script, context } = call;
  for (let attempt = 0; ; attempt++) {
    const before = processorMs();
    context['run'] = run;
    try {
      return script.runInContext(context, { timeout: limitMs * ATTEMPTS[attempt]! }) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      // A tenth less: clock and processor time are not read at the same moment.
      if (attempt === ATTEMPTS.length - 1 || processorMs() - before >= 0.9 * limitMs) {
        throw new Error(`it does not end in ${Number((limitMs / 1000).toFixed(1))} s of processor time`, {
          cause: error,
        });
      }
    }
  }
}

/** Processor time of this thread so far; where the system does not tell, that of the whole process. */
function processorMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
