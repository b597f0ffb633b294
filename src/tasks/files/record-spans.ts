/**
 * Where the records of a file begin and end: JSON lines, or the objects of one JSON array.
 *
 * Found by bytes alone, chunk by chunk, so that a file of hundreds of megabytes need not be held; whether a record is JSON
 * shows when it is read.
 */
import { UserError } from '../../base/errors.js';

/** Bytes `start` up to, not including, `end`. */
export interface RecordSpan {
  readonly start: number;
  readonly end: number;
  /** 1-based line on which the record begins. */
  readonly line: number;
}

export interface SpanScanner {
  /** The next bytes of the file. Throws UserError where they cannot belong to it. */
  push(bytes: Uint8Array): void;
  /** All spans, after the last bytes. */
  finish(): readonly RecordSpan[];
}

/** UTF-8's, which editors on Windows write. */
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];
const LINE_FEED = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN = { array: 0x5b, object: 0x7b } as const;
const CLOSE = { array: 0x5d, object: 0x7d } as const;

/** The scanner for a file that begins with these bytes: an array where the first one that is no space is `[`. */
export function scannerFor(path: string, firstBytes: Uint8Array): SpanScanner {
  return firstBytes.find((byte, i) => !isSpace(byte) && byte !== BYTE_ORDER_MARK[i]) === OPEN.array
    ? new ArrayScanner(path)
    : new LineScanner();
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Every line is a record; one of nothing but white space is none. */
class LineScanner implements SpanScanner {
  private readonly spans: RecordSpan[] = [];
  private start = 0;
  private line = 1;
  private position = 0;
  private blank = true;

  push(bytes: Uint8Array): void {
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, from)) {
      this.look(bytes, from, at);
      this.end(this.position + at);
      from = at + 1;
    }
    this.look(bytes, from, bytes.length);
    this.position += bytes.length;
  }

  finish(): readonly RecordSpan[] {
    this.end(this.position);
    return this.spans;
  }

  private look(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; this.blank && at < to; at++) this.blank = isSpace(bytes[at]!);
  }

  private end(end: number): void {
    if (!this.blank) this.spans.push({ start: this.start, end, line: this.line });
    this.start = end + 1;
    this.line++;
    this.blank = true;
  }
}

/** Objects and the commas between them, at depth 1 of an array. */
class ArrayScanner implements SpanScanner {
  private readonly spans: RecordSpan[] = [];
  private position = 0;
  private line = 1;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private record = { start: 0, line: 1 };
  private expected: 'array' | 'object or end' | 'object' | 'comma or end' | 'nothing' = 'array';

  constructor(private readonly path: string) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.step(byte);
      this.position++;
    }
  }

  finish(): readonly RecordSpan[] {
    if (this.expected !== 'nothing') throw this.fault('the end of the file');
    return this.spans;
  }

  private step(byte: number): void {
    if (byte === LINE_FEED) this.line++;
    if (this.depth >= 2) this.stepInRecord(byte);
    else if (!isSpace(byte) && byte !== BYTE_ORDER_MARK[this.position]) this.stepBetween(byte);
  }

  private stepInRecord(byte: number): void {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
    } else if (byte === QUOTE) this.inString = true;
    else if (byte === OPEN.object || byte === OPEN.array) this.depth++;
    else if (byte === CLOSE.object || byte === CLOSE.array) {
      this.depth--;
      if (this.depth > 1) return;
      this.spans.push({ ...this.record, end: this.position + 1 });
      this.expected = 'comma or end';
    }
  }

  private stepBetween(byte: number): void {
    const { expected } = this;
    if (byte === OPEN.array && expected === 'array') {
      this.depth = 1;
      this.expected = 'object or end';
    } else if (byte === OPEN.object && (expected === 'object' || expected === 'object or end')) {
      this.depth = 2;
      this.record = { start: this.position, line: this.line };
    } else if (byte === COMMA && expected === 'comma or end') this.expected = 'object';
    else if (byte === CLOSE.array && expected.endsWith('or end')) {
      this.depth = 0;
      this.expected = 'nothing';
    } else throw this.fault(JSON.stringify(String.fromCharCode(byte)));
  }

  private fault(found: string): UserError {
    const words = {
      array: 'a JSON array',
      'object or end': 'an object or the end of the array',
      object: 'an object',
      'comma or end': 'a comma or the end of the array',
      nothing: 'nothing after the array',
    }[this.expected];
    const expected = this.depth >= 2 ? `the end of the object of line ${this.record.line}` : words;
    return new UserError(`expected ${expected}, found ${found}`, { place: `${this.path}:${this.line}` });
  }
}
