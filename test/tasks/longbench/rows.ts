/** Rows of the official form, written for these tests, and the official prompts. */
import { readFileSync } from 'node:fs';
import type { LongBenchName } from '../../../src/tasks/scorers/longbench.js';

/** `dataset2prompt.json` of LongBench's repository. */
export const OFFICIAL_PROMPTS = JSON.parse(
  readFileSync(new URL('../../fixtures/longbench/dataset2prompt.json', import.meta.url), 'utf8'),
) as Readonly<Record<LongBenchName, string>>;

export const CONTEXT = 'Some {braces}, {input} and $& signs.\n';

/** Inputs of the few-shot tasks end where the answer begins; lcc has none. */
const INPUTS: Partial<Record<LongBenchName, string>> = {
  trec: 'Question: How far is it ?\nType:',
  triviaqa: 'Passage:\nA bell.\nQuestion:\nWhat rings?\nAnswer:',
  samsum: 'Dialogue: Ada: Hi!\nBen: Bye!\nSummary:',
  lsht: '新闻内容：\n钟响了\n类别：',
  gov_report: '',
  multi_news: '',
  vcsum: '',
  passage_count: '',
  lcc: '',
};

export const inputOf = (task: LongBenchName): string => INPUTS[task] ?? 'What {context} is it?';

export function row(task: LongBenchName, fields: object = {}): object {
  return {
    input: inputOf(task),
    context: CONTEXT,
    answers: ['first', 'second'],
    length: 1234,
    dataset: task,
    language: 'en',
    all_classes: null,
    _id: 'c0ffee',
    ...fields,
  };
}

/** The official prompt of a row, by plain replacement. */
export function officialPrompt(task: LongBenchName): string {
  return OFFICIAL_PROMPTS[task]
    .split(/(\{context\}|\{input\})/)
    .map((part) => (part === '{context}' ? CONTEXT : part === '{input}' ? inputOf(task) : part))
    .join('');
}
