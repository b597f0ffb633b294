/**
 * Processes by their ids.
 *
 * Decides how it is told that one has ended. Knows nothing of what a process has left.
 */

/** True where no process has this id; one that belongs to somebody else is there. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
