/**
 * Counts, bytes and times as people read them.
 *
 * Units are binary, and every command writes them alike.
 */

/** `12 samples`, `1 sample`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[power]!}`;
}

/** `42s`, `3m 05s`, `2h 07m`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${two(Math.floor(whole / 60) % 60)}m`;
}

/** Arguments as a shell would take them back. */
export function shellCommand(args: readonly string[]): string {
  return args
    .map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** Whether headings may be set in bold: a terminal, and no NO_COLOR. */
export function mayStyle(stream: Pick<NodeJS.WriteStream, 'isTTY'>): boolean {
  return stream.isTTY && (process.env['NO_COLOR'] ?? '') === '';
}
