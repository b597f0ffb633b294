/**
 * What the YAML library finds wrong with a text.
 *
 * The library's own words are for programmers.
 */

/** For whoever wrote the text; `error` is one of the library. */
export function yamlFault({ code, message }: { readonly code?: string; readonly message: string }): string {
  return code === 'MULTIPLE_DOCS'
    ? 'not valid YAML: expected one document, found a second; take out the "---" that begins it, or give it a file of its own'
    : `not valid YAML: ${message}`;
}
