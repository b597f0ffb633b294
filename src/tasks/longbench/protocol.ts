/**
 * Two ways to put a row of LongBench before a model: as the SparK paper's tables do, and as LongBench itself does.
 *
 * They differ in what follows the assistant's header, in the special tokens before a prompt without a chat template, and in
 * how many tokens may be generated. Where LongBench cuts a prompt that is too
 * long before it adds the chat template, here the whole compressed part is cut, as everywhere.
 */
import * as z from 'zod';
import { fillFields } from '../files/fields.js';
import type { LongBenchName } from '../scorers/longbench.js';
import type { Prompt } from '../one-question.js';
import type { PlainPrompt } from '../types.js';
import { FACTS } from './facts.js';
import { TEMPLATES } from './templates.js';

export const protocolParam = z
  .enum(['spark', 'longbench'])
  .default('spark')
  .describe(
    'spark, as in the paper: the answer prefix follows the assistant header, 20 tokens more than the benchmark grants; longbench: its templates as one user message, its own limit of tokens',
  );

export type Protocol = z.infer<typeof protocolParam>;

/** Beyond the benchmark's own limit, so that no answer is cut off. */
const EXTRA_NEW_TOKENS = 20;

const PLAIN: Readonly<Record<Protocol, PlainPrompt>> = {
  spark: { specialTokens: false, suffix: '\n' },
  longbench: { specialTokens: true, suffix: '' },
};

/** What a prompt is of its task and protocol alone. */
export function promptForm(
  task: LongBenchName,
  protocol: Protocol,
): Pick<Prompt, 'maxNewTokens' | 'plain' | 'stop'> {
  const { newTokens, chat, stop } = FACTS[task];
  return {
    maxNewTokens: newTokens + (protocol === 'spark' ? EXTRA_NEW_TOKENS : 0),
    ...(chat ? {} : { plain: PLAIN[protocol] }),
    ...(stop === undefined ? {} : { stop }),
  };
}

/** The three texts of a prompt from `context` and `input` of a row. */
export function promptTexts(
  task: LongBenchName,
  protocol: Protocol,
  fields: { readonly context: string; readonly input: string },
): Pick<Prompt, 'context' | 'question' | 'answerPrefix'> {
  const { context, question, answerPrefix, prefixInInput } = TEMPLATES[task];
  const filled = fillFields(context, fields);
  if (protocol === 'longbench') {
    const end = prefixInInput === true ? '' : answerPrefix;
    return { context: filled, question: fillFields(question, fields) + end, answerPrefix: '' };
  }
  const input = prefixInInput === true ? withoutEnd(fields.input, answerPrefix) : fields.input;
  return { context: filled, question: fillFields(question, { input }), answerPrefix };
}

function withoutEnd(text: string, end: string): string {
  return text.endsWith(end) ? text.slice(0, text.length - end.length) : text;
}
