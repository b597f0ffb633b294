/**
 * Chat templates: Jinja text that comes with a model, rendered by `@huggingface/jinja`.
 *
 * It is given one user message, the generation prompt, no thinking, and a fixed date, so that the same sample gives the
 * same prompt on any day.
 */
import * as jinja from '@huggingface/jinja';
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { validate } from '../base/json.js';
import { lstrip, rstrip, splitWords, strftime, strip } from './python-text.js';
import { withinTime } from './time-limit.js';
import type { ChatTemplate } from './types.js';

/** What is used of the library. Its own declarations name modules without extensions, which are not found here. */
interface Jinja {
  readonly Template: new (source: string) => { readonly parsed: object };
  readonly Environment: new () => { set(name: string, value: unknown): unknown };
  readonly Interpreter: new (environment: object) => { run(program: object): { readonly value: unknown } };
}

const { Environment, Interpreter, Template } = jinja as unknown as Jinja;

/** The date that Llama 3 templates themselves fall back to. */
const FIXED_DATE = '26 Jul 2024';
const FIXED_DAY = new Date(Date.UTC(2024, 6, 26));

/** Longest list that `range` gives. */
const MOST_NUMBERS = 100_000;

/** What Jinja and the templates of models take for granted; as in the library, but with a fixed clock and small ranges. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  strftime_now: (format: unknown) => strftime(FIXED_DAY, String(format)),
  range: smallRange,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
};

const templatesSchema = z.looseObject({
  chat_template: z
    .union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))])
    .nullish(),
});

/** The template in tokenizer_config.json; of several named ones, `default`. Throws UserError where there is none of that name. */
export function templateSource(settings: unknown, place: string): string | undefined {
  const { chat_template } = validate(templatesSchema, settings, place);
  if (typeof chat_template === 'string') return chat_template;
  if (chat_template === null || chat_template === undefined || chat_template.length === 0) return undefined;
  const usual = chat_template.find(({ name }) => name === 'default');
  if (usual !== undefined) return usual.template;
  const names = chat_template.map(({ name }) => name).join(', ');
  throw new UserError(`chat_template: expected one named "default", found ${names}`, {
    place,
    hint: 'Put the one that is meant into chat_template.jinja beside the file, or name it "default".',
  });
}

/**
 * Compiles a template.
 *
 * @param source Jinja text, untrusted
 * @param tokens texts of the tokens that begin and end a sequence
 * @throws UserError (place = the file) where it does not compile, or does not render
 */
export function createChatTemplate(
  source: string,
  tokens: { readonly bos: string; readonly eos: string },
  place: string,
): ChatTemplate {
  const { parsed } = explain(place, () => new Template(source));
  const program = explain(place, () => withPythonText(parsed));
  return {
    source,
    render: (userMessage) =>
      explain(place, () => {
        const given = {
          ...GLOBALS,
          ...TEXT_FUNCTIONS,
          messages: [{ role: 'user', content: userMessage }],
          add_generation_prompt: true,
          enable_thinking: false,
          bos_token: tokens.bos,
          eos_token: tokens.eos,
          date_string: FIXED_DATE,
        };
        return withinTime(userMessage.length, () => {
          const environment = new Environment();
          for (const [name, value] of Object.entries(given)) environment.set(name, value);
          return String(new Interpreter(environment).run(program).value);
        });
      }),
  };
}

/** Python's methods of strings, by the names that calls are given instead. */
const TEXT_FUNCTIONS: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  python_strip: (text, characters) => onText(strip, text, characters),
  python_lstrip: (text, characters) => onText(lstrip, text, characters),
  python_rstrip: (text, characters) => onText(rstrip, text, characters),
  python_split: (text) => splitWords(String(text)),
};

function onText(
  run: (text: string, characters?: string) => string,
  text: unknown,
  characters: unknown,
): string {
  return run(String(text), typeof characters === 'string' ? characters : undefined);
}

interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The template's tree with `trim`, `strip` and the like as calls of Python's: the library's are JavaScript's. */
function withPythonText(tree: object): object {
  if (tree instanceof Map) {
    return new Map(
      [...(tree as Map<unknown, unknown>)].map(([key, value]) => [replacedIn(key), replacedIn(value)]),
    );
  }
  if (Array.isArray(tree)) return tree.map(replacedIn);
  const copy = Object.create(
    Object.getPrototypeOf(tree) as object,
    Object.getOwnPropertyDescriptors(tree),
  ) as Record<string, unknown>;
  for (const [field, value] of Object.entries(copy)) copy[field] = replacedIn(value);
  return pythonCall(copy as unknown as SyntaxNode) ?? copy;
}

function replacedIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? withPythonText(value) : value;
}

/** `x | trim`, `x.strip(…)`, `x.split()` as a call of a function; undefined for any other node. */
function pythonCall(node: SyntaxNode): SyntaxNode | undefined {
  const call = (name: string, args: readonly unknown[]): SyntaxNode => ({
    type: 'CallExpression',
    callee: { type: 'Identifier', value: name },
    args,
  });
  const nameOf = (part: unknown): unknown => {
    const { type, value } = part as SyntaxNode;
    return type === 'Identifier' ? value : undefined;
  };
  if (node.type === 'FilterExpression' && nameOf(node['filter']) === 'trim')
    return call('python_strip', [node['operand']]);
  if (node.type !== 'CallExpression') return undefined;
  const callee = node['callee'] as SyntaxNode;
  const args = node['args'] as readonly unknown[];
  if (callee.type !== 'MemberExpression' || callee['computed'] === true) return undefined;
  const method = nameOf(callee['property']);
  if (method === 'strip' || method === 'lstrip' || method === 'rstrip')
    return call(`python_${method}`, [callee['object'], ...args]);
  return method === 'split' && args.length === 0 ? call('python_split', [callee['object']]) : undefined;
}

/** Python's `range`. */
function smallRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MOST_NUMBERS)) throw new Error(`range() of at most ${MOST_NUMBERS} numbers, got ${length}`);
  return Array.from({ length }, (_, i) => start + i * step);
}

function explain<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new UserError(`the chat template fails: ${(cause as Error).message}`, { place, cause });
  }
}
