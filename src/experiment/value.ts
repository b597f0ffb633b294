/**
 * A single value, written as it would stand in a spec.
 *
 * `--set` and `calibrate` read single values exactly as a spec file would.
 */
import { parse } from 'yaml';

/** Throws Error where the text is not valid YAML. */
export function parseValue(text: string): unknown {
  return parse(text, { prettyErrors: false, logLevel: 'error' });
}
