/**
 * One text for each JSON value, whatever the order of its keys, and the digest of it.
 *
 * Specs, parameters and cells count as equal when this text is equal.
 */
import { createHash } from 'node:crypto';

/** JSON with the keys of every object sorted by code unit; entries that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : entry,
  );
}

/** sha256 (hex, 64 characters) of the canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
