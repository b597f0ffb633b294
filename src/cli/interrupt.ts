/**
 * What an interrupt means to a command that works for long.
 *
 * The first one (SIGINT or SIGTERM) asks to stop where it is safe, the second leaves at once.
 */
import type { Session } from './session.js';

export interface Interrupt {
  /** Aborted by the first interrupt. */
  readonly signal: AbortSignal;
  /** Gives interrupts back to the process. */
  stop(): void;
}

/** @param kept what an interrupt leaves, as the user is told: `what is finished is kept` */
export function onInterrupt(session: Session, kept: string): Interrupt {
  const controller = new AbortController();
  const handle = (): void => {
    if (controller.signal.aborted) process.exit(130);
    session.note(`\ninterrupted; ${kept} (again: leave at once)`);
    controller.abort();
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
