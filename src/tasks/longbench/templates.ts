/**
 * The prompts of LongBench (arXiv 2308.14508, `dataset2prompt` of its repository): data of the benchmark, to the letter,
 * misspelling included.
 *
 * Each is cut into context, question and answer prefix as in the copy that the SparK paper's tables were made with; the
 * parts in order are the template. Of trec, triviaqa and samsum the answer prefix is the end of the
 * data set's own {input}, from which it is taken.
 */
import type { LongBenchName } from '../scorers/longbench.js';

export interface Template {
  /** Ends with the document and the instruction that is repeated behind it. */
  readonly context: string;
  readonly question: string;
  readonly answerPrefix: string;
  /** The answer prefix is the end of {input}, not of the template. */
  readonly prefixInInput?: true;
}

const QASPER_TASK =
  'Answer the question{article} as concisely as you can, using a single phrase or sentence if possible. If the question cannot be answered based on the information in the article, write "unanswerable". If the question is a yes/no question, answer "yes", "no", or "unanswerable". Do not provide any explanation.';
const PASSAGES_TASK =
  'Answer the question based on the given passages. Only give me the answer and do not output any other words.';

const PASSAGES: Template = {
  context: `${PASSAGES_TASK}\n\nThe following are given passages.\n{context}\n\n${PASSAGES_TASK}\n\n`,
  question: 'Question: {input}\n',
  answerPrefix: 'Answer:',
};

export const TEMPLATES: Readonly<Record<LongBenchName, Template>> = {
  narrativeqa: {
    context:
      'You are given a story, which can be either a novel or a movie script, and a question. Answer the question asconcisely as you can, using a single phrase if possible. Do not provide any explanation.\n\nStory: {context}\n\nNow, answer the question based on the story asconcisely as you can, using a single phrase if possible. Do not provide any explanation.\n\n',
    question: 'Question: {input}\n\n',
    answerPrefix: 'Answer:',
  },
  qasper: {
    context: `You are given a scientific article and a question. ${QASPER_TASK.replace('{article}', '')}\n\nArticle: {context}\n\n ${QASPER_TASK.replace('{article}', ' based on the above article')}\n\n`,
    question: 'Question: {input}\n\n',
    answerPrefix: 'Answer:',
  },
  multifieldqa_en: {
    context:
      'Read the following text and answer briefly.\n\n{context}\n\nNow, answer the following question based on the above text, only give me the answer and do not output any other words.\n\n',
    question: 'Question: {input}\n',
    answerPrefix: 'Answer:',
  },
  multifieldqa_zh: {
    context:
      '阅读以下文字并用中文简短回答：\n\n{context}\n\n现在请基于上面的文章回答下面的问题，只告诉我答案，不要输出任何其他字词。\n\n',
    question: '问题：{input}\n',
    answerPrefix: '回答：',
  },
  hotpotqa: PASSAGES,
  '2wikimqa': PASSAGES,
  musique: PASSAGES,
  dureader: {
    context: '请基于给定的文章回答下述问题。\n\n文章：{context}\n\n请基于上述文章回答下面的问题。\n\n',
    question: '问题：{input}\n',
    answerPrefix: '回答：',
  },
  gov_report: {
    context:
      'You are given a report by a government agency. Write a one-page summary of the report.\n\nReport:\n{context}\n\n',
    question: 'Now, write a one-page summary of the report.\n\n',
    answerPrefix: 'Summary:',
  },
  qmsum: {
    context:
      'You are given a meeting transcript and a query containing a question or instruction. Answer the query in one or more sentences.\n\nTranscript:\n{context}\n\nNow, answer the query based on the above meeting transcript in one or more sentences.\n\n',
    question: 'Query: {input}\n',
    answerPrefix: 'Answer:',
  },
  multi_news: {
    context:
      'You are given several news passages. Write a one-page summary of all news. \n\nNews:\n{context}\n\n',
    question: 'Now, write a one-page summary of all the news.\n\n',
    answerPrefix: 'Summary:',
  },
  vcsum: {
    context: '下面有一段会议记录，请你阅读后，写一段总结，总结会议的内容。\n会议记录：\n{context}\n\n',
    question: '',
    answerPrefix: '会议总结：',
  },
  trec: {
    context:
      'Please determine the type of the question below. Here are some examples of questions.\n\n{context}\n',
    question: '{input}',
    answerPrefix: 'Type:',
    prefixInInput: true,
  },
  triviaqa: {
    context:
      'Answer the question based on the given passage. Only give me the answer and do not output any other words. The following are some examples.\n\n{context}\n\n',
    question: '{input}',
    answerPrefix: 'Answer:',
    prefixInInput: true,
  },
  samsum: {
    context:
      'Summarize the dialogue into a few short sentences. The following are some examples.\n\n{context}\n\n',
    question: '{input}',
    answerPrefix: 'Summary:',
    prefixInInput: true,
  },
  lsht: {
    context: '请判断给定新闻的类别，下面是一些例子。\n\n{context}\n',
    question: '{input}',
    answerPrefix: '',
  },
  passage_count: {
    context:
      'There are some paragraphs below sourced from Wikipedia. Some of them may be duplicates. Please carefully read these paragraphs and determine how many unique paragraphs there are after removing duplicates. In other words, how many non-repeating paragraphs are there in total?\n\n{context}\n\n',
    question:
      'Please enter the final count of unique paragraphs after removing duplicates. The output format should only contain the number, such as 1, 2, 3, and so on.\n\n',
    answerPrefix: 'The final answer is: ',
  },
  passage_retrieval_en: {
    context:
      'Here are 30 paragraphs from Wikipedia, along with an abstract. Please determine which paragraph the abstract is from.\n\n{context}\n\nThe following is an abstract.\n\n',
    question:
      '{input}\n\nPlease enter the number of the paragraph that the abstract is from. The answer format must be like "Paragraph 1", "Paragraph 2", etc.\n\n',
    answerPrefix: 'The answer is: ',
  },
  passage_retrieval_zh: {
    context:
      '以下是若干段落文字，以及其中一个段落的摘要。请确定给定的摘要出自哪一段。\n\n{context}\n\n下面是一个摘要\n\n',
    question: '{input}\n\n请输入摘要所属段落的编号。答案格式必须是"段落1"，"段落2"等格式\n\n',
    answerPrefix: '答案是：',
  },
  lcc: {
    context: 'Please complete the code given below. \n{context}',
    question: '',
    answerPrefix: 'Next line of code:\n',
  },
  'repobench-p': {
    context: 'Please complete the code given below. \n{context}',
    question: '{input}',
    answerPrefix: 'Next line of code:\n',
  },
};
