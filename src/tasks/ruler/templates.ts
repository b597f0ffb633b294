/**
 * The strings of RULER's needle-in-a-haystack tasks (arXiv 2404.06654): data of the benchmark, to the letter.
 *
 * With one answer only, templates say "A … is" and their {type} loses its final s. Needles
 * never do.
 */

export type ValueKind = 'numbers' | 'uuids';

export const HEADER =
  'Some special magic {type} are hidden within the following text. Make sure to memorize it. ' +
  'I will quiz you about the {type} afterwards.\n';
export const QUESTION = '\nWhat are all the special magic {type} for {query} mentioned in the provided text?';
export const ANSWER_PREFIX = 'The special magic {type} for {query} mentioned in the provided text are';
export const NOISE =
  'The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.';

/** A template with its fields filled in, singular where the sample has one answer. */
export function fill(
  template: string,
  fields: { readonly type: ValueKind; readonly query: string; readonly oneAnswer: boolean },
): string {
  const { type, query, oneAnswer } = fields;
  const text = oneAnswer
    ? template.replaceAll('Some', 'A').replaceAll('are all', 'is').replaceAll('are', 'is')
    : template;
  return text.replaceAll('{type}', oneAnswer ? type.slice(0, -1) : type).replaceAll('{query}', () => query);
}

export function needle(type: ValueKind, key: string, value: string): string {
  return `One of the special magic ${type} for ${key} is: ${value}.`;
}

/** `a` · `a, and b` · `a, b, and c` */
export function listed(keys: readonly string[]): string {
  return keys.length === 1 ? keys[0]! : `${keys.slice(0, -1).join(', ')}, and ${keys.at(-1)!}`;
}
