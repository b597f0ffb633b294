/**
 * The bytes of a pull on a progress display.
 *
 * Pieces come thousands a second; a display is told of them a few times, or JSON lines would be more than the file.
 */
import type { PullProgress } from '../pull/fetch-source.js';
import type { Progress } from '../runner/progress.js';

/** Between two reports, milliseconds. */
const INTERVAL_MS = 200;

/** @param now milliseconds; for tests */
export function pullProgress(display: Progress, now: () => number = () => performance.now()): PullProgress {
  let waiting = 0;
  let told = -Infinity;
  let file = '';
  const tell = (): void => {
    if (waiting !== 0) display.tick(waiting, file);
    waiting = 0;
    told = now();
  };
  return {
    start: (total, done, label) => {
      display.start(total, label, done);
    },
    advance: (bytes, of) => {
      if (of !== file) display.phase(of);
      file = of;
      waiting += bytes;
      if (now() - told >= INTERVAL_MS) tell();
    },
    stop: () => {
      tell();
      display.stop();
    },
  };
}
