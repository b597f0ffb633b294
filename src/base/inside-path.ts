/**
 * Paths that others wrote, of files in a folder of ours.
 *
 * Archives and records come from elsewhere: a path that leads out of the folder, on any system, is refused.
 */
import * as z from 'zod';

/** Bytes; no file system has longer names. */
const LONGEST_NAME = 255;

/** Whether a path, parts separated by `/`, leads out of the folder that it starts in, or cannot be one at all. */
export function leadsOut(path: string): boolean {
  return /^[/\\]|^[A-Za-z]:|\\|\0/.test(path) || path.split('/').some(isNoName);
}

function isNoName(part: string): boolean {
  return part === '..' || Buffer.byteLength(part) > LONGEST_NAME;
}

export const insidePath = z.string().refine((path) => !leadsOut(path), 'expected a path inside the folder');
