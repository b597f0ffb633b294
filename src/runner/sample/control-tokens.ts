/**
 * Control tokens that are spelled in the text of samples.
 *
 * A tokenizer reads `<|eot_id|>` in a user's text as the token itself, here as in every other tool: nothing is changed, but it
 * is counted and said, since a chat may end in the middle of a text.
 */
import type { Tokenizer } from '../../checkpoint/types.js';
import type { Sample } from '../../tasks/types.js';

/** Tokens that are named; the others are counted. */
const NAMED = 4;

export class ControlTokens {
  private readonly pattern: RegExp | undefined;
  private readonly found = new Map<string, number>();
  private looked = 0;
  private withAny = 0;
  private first: string | undefined;

  constructor({ controls = [] }: Pick<Tokenizer, 'controls'>) {
    const longestFirst = [...controls].sort((a, b) => b.length - a.length);
    this.pattern =
      longestFirst.length === 0
        ? undefined
        : new RegExp(
            longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'),
            'g',
          );
  }

  /** Counts those of one sample: context, questions and answer prefixes. */
  look({ context, questions, place }: Sample): void {
    if (this.pattern === undefined) return;
    this.looked++;
    const texts = [context, ...questions.flatMap(({ question, answerPrefix }) => [question, answerPrefix])];
    const spelled = texts.flatMap((text) => text.match(this.pattern!) ?? []);
    if (spelled.length === 0) return;
    this.withAny++;
    this.first ??= place;
    for (const text of spelled) this.found.set(text, (this.found.get(text) ?? 0) + 1);
  }

  /** What was found, in a sentence; undefined where nothing was. */
  remark(task: string, model: string): string | undefined {
    if (this.withAny === 0) return undefined;
    const often = [...this.found].sort(([, a], [, b]) => b - a);
    const named = often.slice(0, NAMED).map(([text, count]) => `${text} ${count}×`);
    const more = often.length > NAMED ? ` and ${often.length - NAMED} others` : '';
    const where = this.first === undefined ? '' : `, first in ${this.first}`;
    return `${task}: ${this.withAny} of ${this.looked} samples spell control tokens of ${model} in their text (${named.join(', ')}${more}${where}); they are read as these tokens`;
  }
}
