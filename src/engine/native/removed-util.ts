/**
 * Two functions of `node:util` that tfjs-node calls, put back where Node has removed or deprecated them.
 *
 * Node 23 removed `isNullOrUndefined`; Node 22 prints a warning for both. tfjs-node has no release without them.
 */
import { createRequire } from 'node:module';

/** Before tfjs-node is loaded. */
export function restoreRemovedUtil(): void {
  // The module that require() gives can be changed; what import gives cannot.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util['isArray'] = Array.isArray;
  util['isNullOrUndefined'] = (value: unknown): boolean => value === null || value === undefined;
}
