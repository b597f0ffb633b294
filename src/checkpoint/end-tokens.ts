/**
 * Which tokens end an answer: all that any of a model's files names, and those that are known by their text.
 *
 * Files disagree: base models' configurations are kept for chat models, whose turns then end with a token that only the
 * tokenizer's settings name, or none. A token that is missed lets answers run on to the last allowed token.
 */

/** Control tokens that end a turn, as llama.cpp knows them. */
const ENDS: ReadonlySet<string> = new Set([
  ...['<|eot_id|>', '<|eom_id|>', '<|end_of_text|>', '<|endoftext|>', '<|im_end|>', '<|end|>', '<|return|>'],
  ...[
    '<end_of_turn>',
    '<end_of_utterance>',
    '<EOT>',
    '_<EOT>',
    '<｜end▁of▁sentence｜>',
    '<|END_OF_TURN_TOKEN|>',
  ],
  ...['<|call|>', '<|calls|>', '<|flush|>'],
]);

/**
 * Ids that end an answer, as far as a tokenizer knows.
 *
 * @param own the end token that its settings name
 * @param controls tokens that stand for no text
 */
export function endIdsOf(
  own: number | undefined,
  controls: readonly { readonly id: number; readonly content: string }[],
): number[] {
  const known = controls.filter(({ content }) => ENDS.has(content)).map(({ id }) => id);
  return [...new Set([...(own === undefined ? [] : [own]), ...known])];
}
