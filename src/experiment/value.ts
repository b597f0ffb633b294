/**
 * A single value, written as it would stand in a spec.
 *
 * Decides nothing else; where it stands and what it may be is the caller's business.
 */
import { parse } from 'yaml';

/** Throws Error where the text is not valid YAML. */
export function parseValue(text: string): unknown {
  return parse(text, { prettyErrors: false, logLevel: 'error' });
}
