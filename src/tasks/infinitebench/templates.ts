/**
 * The prompts of InfiniteBench for open models (`yarn_mistral_templates` of its prompt.py): data of the benchmark, to
 * the letter.
 *
 * The parts in order are the template; only the cut into context, question and answer prefix is ours.
 */

export interface Template {
  /** Ends with the document. */
  readonly context: string;
  readonly question: string;
  readonly answerPrefix: string;
}

const OPTIONS = 'A. {OPTION_A}\nB. {OPTION_B}\nC. {OPTION_C}\nD. {OPTION_D}\n\n';

export const TEMPLATES = {
  passkey: {
    context:
      'There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you about the important information there.\n\n{context}',
    question: '\n\n{input}\n\n',
    answerPrefix: 'The pass key is',
  },
  number_string: {
    context:
      'There is an important info hidden inside a lot of irrelevant text. Find it. I will quiz you about the important information there.\n\n{context}',
    question: '\n\n{input}\n\n',
    answerPrefix: 'The sequence of digits is',
  },
  kv_retrieval: {
    context: 'Extract the value corresponding to the specified key in the JSON object below.\n\n{context}',
    question: '\n\n{input}',
    answerPrefix: '',
  },
  longbook_sum_eng: {
    context: 'Summarize the book below.\n\n{context}',
    question: '\n\n',
    answerPrefix: 'Summary:',
  },
  longbook_choice_eng: {
    context: 'Read the book and answer the question.\n\n{context}',
    question: `\n\nQuestion: {input}\n${OPTIONS}`,
    answerPrefix: 'The letter of the correct answer is',
  },
  longbook_qa_eng: {
    context: 'Read the book and answer the question. Be very concise in your answer.\n\n{context}',
    question: '\n\nQuestion: {input}\n',
    answerPrefix: 'Answer:',
  },
  longbook_qa_chn: {
    context: '阅读以下书籍然后回答问题。\n\n{context}',
    question: '\n\n问题：{input}\n',
    answerPrefix: '答案：',
  },
  longdialogue_qa_eng: {
    context:
      'Below is a dialogue script where one random occurrence of a character name is replaced with "$$MASK$$", and you should try to guess who that character is.\n\n{context}',
    question: '\n\n',
    answerPrefix: 'The name that has been replaced with $$MASK$$ is likely',
  },
  math_find: {
    context: '{prefix}\n\n{context}',
    question: '\n\n{input}',
    answerPrefix: '',
  },
  math_calc: {
    context:
      'Let us calculate the intermediate values of an expression.\n\nExpression: 1 + 3 + 4\nValues: [1, 4, 8]\n\nExpression: 8 - 3 + 2 - 4\nValues: [8, 5, 7, 3]\n\nExpression: {context}',
    question: '\n',
    answerPrefix: 'Values:',
  },
  code_run: {
    context: 'There is a function called {func} in the following Python code.\n\n{context}',
    question: '\n\nPlease compute the exact value of {func_call}. ',
    answerPrefix: 'The value of {func_call} is',
  },
  code_debug: {
    context:
      'Following is a Python code where exactly one of the functions/methods has a deliberate error that makes it crash.\n\n{context}',
    question: `\n\nOptions:\n${OPTIONS}`,
    answerPrefix: 'The correct option is:',
  },
} as const satisfies Record<string, Template>;

export type InfiniteBenchName = keyof typeof TEMPLATES;
