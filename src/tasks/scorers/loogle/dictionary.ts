/**
 * A dictionary as a model writes it: a Python literal (JSON of strings is one) whose keys are strings and whose values are scalars.
 *
 * It is read, never evaluated: the released harness hands a model's text to Python's `eval`.
 * Nested values, expressions and text around the braces make it no dictionary.
 */

export type Scalar = string | number | boolean | null;

const TOKEN =
  /[\t\n\f\r ]*(?:([{}:,])|('(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*")|([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)|(True|False|None))/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([^]))/gu;
const ESCAPED: Readonly<Record<string, string>> = {
  ...{ '\\': '\\', "'": "'", '"': '"', '\n': '' },
  ...{ n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', a: '\x07' },
};
const CONSTANTS: Readonly<Record<string, Scalar>> = { True: true, False: false, None: null };

type Token = { readonly mark: string } | { readonly value: Scalar };

/** Undefined where the text is no such dictionary. Of equal keys the last one counts. */
export function parseDictionary(text: string): ReadonlyMap<string, Scalar> | undefined {
  const tokens = tokenise(text);
  if (tokens === undefined || !isMark(tokens[0], '{') || !isMark(tokens.at(-1), '}')) return undefined;
  const entries = new Map<string, Scalar>();
  const inside = tokens.slice(1, -1);
  for (let i = 0; i < inside.length; i += 4) {
    const [key, colon, value, comma] = inside.slice(i, i + 4);
    if (!isKey(key) || !isMark(colon, ':') || !isValue(value)) return undefined;
    if (comma !== undefined && !isMark(comma, ',')) return undefined;
    entries.set(key.value, value.value);
  }
  return entries;
}

function tokenise(text: string): Token[] | undefined {
  const end = text.trimEnd().length;
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) return undefined;
    const [, mark, quoted, number, constant] = match;
    if (mark !== undefined) tokens.push({ mark });
    else if (quoted !== undefined) tokens.push({ value: unescape(quoted.slice(1, -1)) });
    else tokens.push({ value: number === undefined ? CONSTANTS[constant!]! : Number(number) });
  }
  return tokens;
}

/** Unknown escapes stay as they are written, as in Python. */
function unescape(body: string): string {
  return body.replace(ESCAPE, (whole, byte?: string, unit?: string, other?: string) => {
    const code = byte ?? unit;
    return code === undefined ? (ESCAPED[other!] ?? whole) : String.fromCharCode(Number.parseInt(code, 16));
  });
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token !== undefined && 'mark' in token && token.mark === mark;
}

function isValue(token: Token | undefined): token is { readonly value: Scalar } {
  return token !== undefined && 'value' in token;
}

function isKey(token: Token | undefined): token is { readonly value: string } {
  return isValue(token) && typeof token.value === 'string';
}
