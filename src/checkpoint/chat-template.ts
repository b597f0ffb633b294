/**
 * Chat templates: Jinja text that comes with a model, rendered by `@huggingface/jinja`.
 *
 * Decides what a template is given: one user message, the generation prompt, no thinking, and a fixed date, so that
 * the same sample gives the same prompt on any day. Knows nothing of tokens.
 */
import * as jinja from '@huggingface/jinja';
import * as z from 'zod';
import { UserError } from '../base/errors.js';
import { validate } from '../base/json.js';
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

/** Longest list that `range` gives. */
const MOST_NUMBERS = 100_000;

/** What Jinja and the templates of models take for granted; as in the library, but with a fixed clock and small ranges. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  strftime_now: () => FIXED_DATE,
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

/** The template in tokenizer_config.json; of several named ones, `default`. */
export function templateSource(settings: unknown, place: string): string | undefined {
  const { chat_template } = validate(templatesSchema, settings, place);
  if (typeof chat_template === 'string') return chat_template;
  return chat_template?.find(({ name }) => name === 'default')?.template;
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
  return {
    source,
    render: (userMessage) =>
      explain(place, () => {
        const environment = new Environment();
        const given = {
          ...GLOBALS,
          messages: [{ role: 'user', content: userMessage }],
          add_generation_prompt: true,
          enable_thinking: false,
          bos_token: tokens.bos,
          eos_token: tokens.eos,
          date_string: FIXED_DATE,
        };
        for (const [name, value] of Object.entries(given)) environment.set(name, value);
        return withinTime(userMessage.length, () => String(new Interpreter(environment).run(parsed).value));
      }),
  };
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
