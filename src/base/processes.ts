/**
 * Processes by their ids.
 *
 * Locks and staging folders of a process that has ended may be taken over.
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
