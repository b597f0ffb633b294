/**
 * Chat templates: Jinja text that comes with a model, rendered by `@huggingface/jinja`.
 *
 * Decides what a template is given: one user message, the generation prompt, no thinking, and a fixed date, so that
 * the same sample gives the same prompt on any day. Knows nothing of tokens.
 */
import { Template } from '@huggingface/jinja';
import * as z from 'zod';
import { UserError } from '../errors.js';
import { validate } from '../json.js';
import type { ChatTemplate } from './types.js';

/** The date that Llama 3 templates themselves fall back to. */
const FIXED_DATE = '26 Jul 2024';

/** Shadows the library's clock; the empty expression keeps a newline that the template may begin with. */
const FIXED_CLOCK = `{% macro strftime_now(format) %}${FIXED_DATE}{% endmacro %}{{ '' }}`;

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
  const template = explain(place, () => new Template(FIXED_CLOCK + source));
  return {
    source,
    render: (userMessage) =>
      explain(place, () =>
        template.render({
          messages: [{ role: 'user', content: userMessage }],
          add_generation_prompt: true,
          enable_thinking: false,
          bos_token: tokens.bos,
          eos_token: tokens.eos,
          date_string: FIXED_DATE,
        }),
      ),
  };
}

function explain<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new UserError(`the chat template fails: ${(cause as Error).message}`, { place, cause });
  }
}
