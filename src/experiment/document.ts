/**
 * A YAML file as plain data that still knows where each value stands.
 *
 * YAML is read strictly (unique keys, bounded aliases), so that a slip is an error with its line and column.
 */
import { dirname, resolve } from 'node:path';
import type { Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { UserError } from '../base/errors.js';
import { locate, readStandardInput, readText, STANDARD_INPUT, STANDARD_INPUT_NAME } from './spec-text.js';
import { yamlFault } from './yaml.js';

export type Path = readonly (string | number)[];

const MAX_ALIASES = 100;
/** That are shown: the first ones explain those that follow from them. */
const MAX_FAULTS = 10;

export class SpecDocument {
  private data: unknown;
  /** Nodes that came from the command line, with the flag that brought them. */
  private readonly flags = new Map<Node, string>();

  private constructor(
    /** The file as the user named it. */
    readonly file: string,
    /** Where relative paths of the file start: its own folder, absolute. */
    readonly folder: string,
    readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /**
   * Reads a file, or standard input (`-`), which can be read only once. Throws UserError where it cannot be read, is no YAML
   * or holds no mapping.
   */
  static read(file: string): SpecDocument {
    return file === STANDARD_INPUT
      ? SpecDocument.parse(readStandardInput(), STANDARD_INPUT_NAME, process.cwd())
      : SpecDocument.parse(readText(file), file);
  }

  /** @param folder where relative paths of the spec start; default: the folder of the file */
  static parse(text: string, file: string, folder = dirname(resolve(locate(file)))): SpecDocument {
    const lines = new LineCounter();
    const { document, faults } = read(text, file, lines);
    if (faults.length > 0) {
      const messages = faults.slice(0, MAX_FAULTS).map(({ at, message }) => {
        const { line, col } = lines.linePos(at);
        return `${file}:${line}:${col}  ${message}`;
      });
      if (faults.length > MAX_FAULTS) messages.push(`and ${faults.length - MAX_FAULTS} more`);
      throw new UserError(messages.join('\n'), { exitCode: 2 });
    }
    if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
      throw new UserError(
        'the file is empty; expected a mapping with name, model, tasks, context and cache',
        {
          place: file,
          exitCode: 2,
        },
      );
    }
    if (!isMap(document.contents)) {
      throw new UserError('expected a mapping with name, model, tasks, context and cache', {
        place: `${file}:1:1`,
        exitCode: 2,
      });
    }
    return new SpecDocument(file, folder, document, lines);
  }

  /** The file as plain data. */
  get value(): Record<string, unknown> {
    this.data ??= this.toPlainData();
    return this.data as Record<string, unknown>;
  }

  /** Puts a node from the command line in; `flag` is shown as its place. */
  replace(parent: Node, key: string | number, value: Node, flag: string): void {
    this.data = undefined;
    this.flags.set(value, flag);
    if (isSeq(parent)) {
      parent.items[Number(key)] = value;
    } else if (isMap(parent)) {
      const pair = parent.items.find((item) => keyText(item) === key);
      if (pair === undefined) {
        const keyNode = this.document.createNode(key);
        this.flags.set(keyNode, flag);
        parent.add(this.document.createPair(keyNode, value));
      } else {
        pair.value = value;
      }
    }
  }

  /** `file:line:column` of the value at `path` (or of its key); of the nearest parent where there is none. */
  place(path: Path, at: 'value' | 'key' = 'value'): string {
    const found = this.walk(path);
    if (found.flag !== undefined) return found.flag;
    const node = at === 'key' && found.key !== undefined ? found.key : found.node;
    const { line, col } = this.lines.linePos(node.range?.[0] ?? 0);
    return `${this.file}:${line}:${col}`;
  }

  /** `cache[1].spark.ratio`; an index into something that is no list in the file is left out. */
  show(path: Path): string {
    const reached = this.walk(path).depth;
    return path.reduce<string>((text, step, depth) => {
      if (typeof step === 'number') return depth < reached ? `${text}[${step}]` : text;
      return text === '' ? step : `${text}.${step}`;
    }, '');
  }

  private walk(path: Path): { node: Node; key: Node | undefined; depth: number; flag: string | undefined } {
    let node: Node = this.document.contents!;
    let key: Node | undefined;
    let flag: string | undefined;
    let depth = 0;
    for (const step of path) {
      const pair = isMap(node) ? node.items.find((item) => keyText(item) === String(step)) : undefined;
      const next = isSeq(node) ? node.items[Number(step)] : pair?.value;
      const target = isAlias(next) ? next.resolve(this.document) : next;
      key = pair?.key as Node | undefined;
      flag = (key && this.flags.get(key)) ?? (target ? this.flags.get(target as Node) : undefined) ?? flag;
      if (target === undefined || target === null) break;
      node = target as Node;
      depth++;
    }
    if (depth < path.length && typeof path[depth] === 'string') key = undefined;
    return { node, key, depth, flag };
  }

  private toPlainData(): unknown {
    try {
      const data: unknown = this.document.toJS({ maxAliasCount: MAX_ALIASES });
      JSON.stringify(data);
      return data;
    } catch (error) {
      throw new UserError(
        'aliases that refer to themselves, or that expand to too much; expected plain data',
        {
          place: this.file,
          hint: 'Write the repeated part out.',
          exitCode: 2,
          cause: error,
        },
      );
    }
  }
}

interface Fault {
  /** Characters from the start of the text. */
  readonly at: number;
  readonly message: string;
}

/** Throws UserError where the text is nested so deeply that the parser runs out of stack. */
function read(
  text: string,
  file: string,
  lineCounter: LineCounter,
): { document: Document; faults: readonly Fault[] } {
  try {
    // The parser's own search for equal keys compares each with each.
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      strict: true,
    });
    const faults = [...document.errors, ...document.warnings].map((fault) => ({
      at: fault.pos[0],
      message: yamlFault(fault),
    }));
    return { document, faults: faults.length > 0 ? faults : faultyParts(document) };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UserError('is nested too deeply', { place: file, exitCode: 2, cause });
  }
}

/** Keys that are there twice or are no text, and texts that no file name holds. */
function faultyParts(document: Document): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Scalar: (_, { value, range }) => {
      if (typeof value === 'string' && value.includes('\0'))
        faults.push({ at: range?.[0] ?? 0, message: 'expected a text without NUL characters' });
    },
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const pair of map.items) {
        const at = (pair.key as Node | null)?.range?.[0] ?? map.range?.[0] ?? 0;
        const key = isScalar(pair.key) ? keyText(pair) : undefined;
        if (key === undefined) faults.push({ at, message: 'expected a text as key' });
        else if (seen.has(key))
          faults.push({ at, message: `duplicate key "${key}"; expected each key once` });
        else seen.add(key);
      }
    },
  });
  return faults;
}

/** The key of a mapping's entry, as text. */
export function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
