/**
 * The strings of Greg Kamradt's needle test (2023) in the form that is used with open models: data of the test.
 *
 * An answer is scored by three facts, where the original asks a language model for a mark. The
 * needle stands without the line breaks of the original, which would set it apart from the text.
 */

export const SANDWICH = {
  needle: 'The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.',
  before: 'This is a very long story book: <book> ',
  behind: ' </book>.',
  question: '\n Based on the content of the book, Question: What is the best thing to do in San Francisco?\n',
  answerPrefix: 'Answer:',
  facts: ['sandwich', 'Dolores Park', 'sunny day'],
} as const;
