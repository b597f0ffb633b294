/**
 * What LongBench (arXiv 2308.14508) says of each of its 21 tasks: how many tokens it may generate, whether the prompt is
 * a chat, what ends an answer, and which tasks LongBench-E has.
 *
 * As `dataset2maxlen` and pred.py of its repository have it. Scores and first lines are in scorers/longbench.ts.
 */
import { longbenchScoring, type LongBenchName } from '../scorers/longbench.js';
import type { Question } from '../types.js';

export interface LongBenchFacts {
  readonly summary: string;
  /** The benchmark's own limit. */
  readonly newTokens: number;
  /** False: few-shot examples or code, to which a chat template does no good. */
  readonly chat: boolean;
  readonly stop?: Question['stop'];
  /** LongBench-E has it too. */
  readonly even: boolean;
}

const chat = (summary: string, newTokens: number, even: boolean): LongBenchFacts => ({
  summary,
  newTokens,
  even,
  chat: true,
});
const plain = (summary: string, newTokens: number, even: boolean): LongBenchFacts => ({
  summary,
  newTokens,
  even,
  chat: false,
});

export const FACTS: Readonly<Record<LongBenchName, LongBenchFacts>> = {
  narrativeqa: chat('a question on a novel or a film script (F1)', 128, false),
  qasper: chat('a question on a scientific article (F1)', 128, true),
  multifieldqa_en: chat('a question on an article of one of many fields (F1)', 64, true),
  multifieldqa_zh: chat('a question on a Chinese article of one of many fields (F1)', 64, false),
  hotpotqa: chat('a question over two of many passages (F1)', 32, true),
  '2wikimqa': chat('a question over up to five of many passages (F1)', 32, true),
  musique: chat('a question over up to four of many passages (F1)', 32, false),
  dureader: chat('a question on Chinese search results (ROUGE-L)', 128, false),
  gov_report: chat('a summary of a government report (ROUGE-L)', 512, true),
  qmsum: chat('a question on the transcript of a meeting (ROUGE-L)', 512, false),
  multi_news: chat('a summary of several news articles (ROUGE-L)', 512, true),
  vcsum: chat('a summary of a Chinese meeting (ROUGE-L)', 512, false),
  trec: plain('the type of a question, after examples (classification)', 64, true),
  triviaqa: plain('a trivia question on a passage, after examples (F1)', 32, true),
  // Models would go on with further dialogues.
  samsum: { ...plain('a summary of a dialogue, after examples (ROUGE-L)', 128, true), stop: 'newline' },
  lsht: plain('the class of a Chinese news item, after examples (classification)', 64, false),
  passage_count: chat('how many different paragraphs there are', 32, true),
  passage_retrieval_en: chat('the paragraph that an abstract is of', 32, true),
  passage_retrieval_zh: chat('the Chinese paragraph that an abstract is of', 32, false),
  lcc: plain('the next line of a file of code (similarity)', 64, true),
  'repobench-p': plain('the next line of code, other files of its repository given (similarity)', 64, true),
};

export const LONGBENCH_NAMES = Object.keys(FACTS) as LongBenchName[];

/** What sets a task apart, in sentences. */
export function factNotes(name: LongBenchName): string[] {
  const { newTokens, chat: isChat, stop } = FACTS[name];
  return [
    `The benchmark grants ${newTokens} new tokens.`,
    ...(isChat ? [] : ['No chat template: examples or code stand in the prompt.']),
    ...(stop === undefined ? [] : ['A line break ends the answer.']),
    ...(longbenchScoring[name].firstLine ? ['Only the first line of the answer is scored.'] : []),
  ];
}
