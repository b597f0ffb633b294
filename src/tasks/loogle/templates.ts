/**
 * The prompts of LooGLE (config/task2prompt.json): data of the benchmark, to the letter, misspellings included.
 *
 * The parts in order are the template; only the cut into context, question and answer prefix is ours.
 */

export interface Template {
  /** Ends with the document. */
  readonly context: string;
  readonly question: string;
  readonly answerPrefix: string;
}

const QUESTIONS: Template = {
  context: 'Please answer the question based on the long texts below. \n{input}',
  question: '\nQuestion: {Q}\n',
  answerPrefix: 'Answer: ',
};

export const TEMPLATES = {
  shortdep_qa: QUESTIONS,
  longdep_qa: QUESTIONS,
  longdep_summarization: {
    context: 'Please generate a summary of the below paper. \n{input}',
    question: '\n ',
    answerPrefix: 'Summarization: ',
  },
  shortdep_cloze: {
    context:
      "Please fill in the clozes based on the given long texts below. Each of the placeholder '<mask-n>' in the question could be an entity of Person, Location or Organiocation. The same masks represent the same entity. Output a json format answer, for example: {'<mask-0>': 'Bob', '<mask-1>': 'Gorrosion Magazine','<mask-2>': 'Bethel Horizon'}\n{input}",
    question: '\n Question: {Q} What are the masked entities? \n',
    answerPrefix: 'Answer:',
  },
} as const satisfies Record<string, Template>;

export type LoogleName = keyof typeof TEMPLATES;
