/**
 * The zero-shot prompt of LongBench v2 (prompts/0shot.txt): data of the benchmark, to the letter.
 *
 * The parts in order are the template; only the cut into context and question is ours. It has no answer prefix:
 * the form of the answer is asked for, not begun.
 */

export const CONTEXT =
  'Please read the following text and answer the question below.\n\n<text>\n{doc}\n</text>';

export const QUESTION =
  '\n\nWhat is the correct answer to this question: {question}\n' +
  'Choices:\n(A) {A}\n(B) {B}\n(C) {C}\n(D) {D}\n\n' +
  'Format your response as follows: "The correct answer is (insert answer here)".';
