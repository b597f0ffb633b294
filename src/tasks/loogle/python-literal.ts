/**
 * Values written as Python's `repr` writes them: strings, numbers, lists, tuples, dictionaries with string keys, True,
 * False and None.
 *
 * It is read, never evaluated: LooGLE's own code hands its files to Python's `eval`.
 */

export type PythonValue =
  string | number | boolean | null | readonly PythonValue[] | { readonly [key: string]: PythonValue };

const CONSTANTS: Readonly<Record<string, PythonValue>> = { True: true, False: false, None: null };
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^]))/gu;
const STRING = /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y;
const WORD = /[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|True|False|None/y;
const SPACE = /\s*/y;
/** Deeper nesting is refused. */
const MAX_DEPTH = 64;

/** Throws SyntaxError, which says where, if the text is anything else. */
export function parsePythonLiteral(text: string): PythonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  value(depth: number): PythonValue {
    if (depth > MAX_DEPTH) throw this.fault(`at most ${MAX_DEPTH} levels`);
    this.skipSpace();
    switch (this.text[this.at]) {
      case '[':
        return this.items(']', () => this.value(depth + 1));
      case '(':
        return this.items(')', () => this.value(depth + 1));
      case '{':
        return Object.fromEntries(this.items('}', () => this.entry(depth + 1)));
      default:
        return this.string() ?? this.word();
    }
  }

  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) throw this.fault('the end');
  }

  /** What stands between the bracket here and `close`, separated by commas; one may stand at the end. */
  private items<T>(close: string, item: () => T): T[] {
    const found: T[] = [];
    this.at++;
    for (;;) {
      this.skipSpace();
      if (this.take(close)) return found;
      found.push(item());
      this.skipSpace();
      if (this.take(close)) return found;
      if (!this.take(',')) throw this.fault(`"," or "${close}"`);
    }
  }

  private entry(depth: number): [string, PythonValue] {
    const key = this.string();
    if (key === undefined) throw this.fault('a string as key');
    this.skipSpace();
    if (!this.take(':')) throw this.fault('":"');
    return [key, this.value(depth)];
  }

  private string(): string | undefined {
    const quoted = this.match(STRING);
    return quoted === undefined ? undefined : unescape(quoted.slice(1, -1));
  }

  private word(): PythonValue {
    const word = this.match(WORD);
    if (word === undefined) throw this.fault('a value');
    return word in CONSTANTS ? CONSTANTS[word]! : Number(word);
  }

  private skipSpace(): void {
    this.match(SPACE);
  }

  private take(mark: string): boolean {
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private fault(expected: string): SyntaxError {
    const found =
      this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 20)) : 'the end';
    return new SyntaxError(`expected ${expected} at character ${this.at + 1}, found ${found}`);
  }
}

/** Unknown escapes stay as they are written, as in Python. */
function unescape(body: string): string {
  return body.replace(ESCAPE, (whole, byte?: string, unit?: string, point?: string, other?: string) => {
    const code = byte ?? unit ?? point;
    if (code !== undefined) return character(Number.parseInt(code, 16));
    if (other === '\\' || other === "'" || other === '"') return other;
    return other === '\n' ? '' : (ESCAPES[other!] ?? whole);
  });
}

function character(codePoint: number): string {
  if (codePoint > 0x10ffff) throw new SyntaxError(`no character has the number ${codePoint}`);
  return String.fromCodePoint(codePoint);
}
