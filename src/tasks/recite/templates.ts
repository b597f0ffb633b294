/**
 * The strings of the recite task: the embedded model has learned this form, to the letter.
 */

export const HEADER =
  'A list of special magic numbers is hidden within the following text. Make sure to memorize it. ' +
  'I will ask you to repeat the list afterwards.\n';
export const QUESTION =
  '\nWhat is the list of special magic numbers mentioned in the provided text? ' +
  'Repeat every line of it in the same order.';
export const ANSWER_PREFIX = 'The list of special magic numbers mentioned in the provided text is:';

const LIST_HEAD = 'List of special magic numbers:\n';
const LIST_END = 'End of the list.';

export interface Line {
  readonly key: string;
  readonly number: string;
}

/** `- key: number` lines and what ends them. */
function listed(lines: readonly Line[]): string {
  return lines.map(({ key, number }) => `- ${key}: ${number}\n`).join('') + LIST_END;
}

/** The whole context: the list after the sentences before it, on lines of its own. */
export function contextWith(lines: readonly Line[], before: string, after: string): string {
  return `${HEADER}${before}\n${LIST_HEAD}${listed(lines)}\n${after}`;
}

/** What follows the answer prefix where the list is repeated without fault. */
export function rightAnswer(lines: readonly Line[]): string {
  return `\n${listed(lines)}`;
}
