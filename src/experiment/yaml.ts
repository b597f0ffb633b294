/**
 * Single YAML values, and what the YAML library finds wrong with a text.
 *
 * `--set`, labels and `calibrate` read values exactly as a spec file would; the library's own words are for programmers.
 */
import { parse } from 'yaml';

/** Throws Error where the text is not valid YAML. */
export function parseValue(text: string): unknown {
  return parse(text, { prettyErrors: false, logLevel: 'error' });
}

/** For whoever wrote the text; `error` is one of the library. */
export function yamlFault({ code, message }: { readonly code?: string; readonly message: string }): string {
  return code === 'MULTIPLE_DOCS'
    ? 'not valid YAML: expected one document, found a second; take out the "---" that begins it, or give it a file of its own'
    : `not valid YAML: ${message}`;
}
