/**
 * LongBench's scorer per task (arXiv 2308.14508, `dataset2metric` of its eval.py): 21 tasks.
 *
 * Some tasks keep only the first line of a prediction.
 */
import { classification } from './classification.js';
import { codeSimilarity } from './code-similarity.js';
import { count } from './count.js';
import { firstLine } from './first-line.js';
import { qaF1, qaF1Zh } from './qa-f1.js';
import { retrieval, retrievalZh } from './retrieval.js';
import { rougeL, rougeLZh } from './rouge-l.js';
import { bestScore, type ScoreContext, type Scorer } from './types.js';

export interface LongBenchScoring {
  readonly scorer: Scorer;
  readonly firstLine: boolean;
}

const whole = (scorer: Scorer): LongBenchScoring => ({ scorer, firstLine: false });
const oneLine = (scorer: Scorer): LongBenchScoring => ({ scorer, firstLine: true });

export const longbenchScoring = {
  narrativeqa: whole(qaF1),
  qasper: whole(qaF1),
  multifieldqa_en: whole(qaF1),
  multifieldqa_zh: whole(qaF1Zh),
  hotpotqa: whole(qaF1),
  '2wikimqa': whole(qaF1),
  musique: whole(qaF1),
  dureader: whole(rougeLZh),
  gov_report: whole(rougeL),
  qmsum: whole(rougeL),
  multi_news: whole(rougeL),
  vcsum: whole(rougeLZh),
  trec: oneLine(classification),
  triviaqa: oneLine(qaF1),
  samsum: oneLine(rougeL),
  lsht: oneLine(classification),
  passage_count: whole(count),
  passage_retrieval_en: whole(retrieval),
  passage_retrieval_zh: whole(retrievalZh),
  lcc: whole(codeSimilarity),
  'repobench-p': whole(codeSimilarity),
} as const satisfies Record<string, LongBenchScoring>;

export type LongBenchName = keyof typeof longbenchScoring;

/** Score of one prediction in [0, 1]: its best over the answers, 0 without answers. */
export function scoreLongBench(
  name: LongBenchName,
  prediction: string,
  answers: readonly string[],
  context: ScoreContext = {},
): number {
  const scoring = longbenchScoring[name];
  return bestScore(scoring.scorer, scoring.firstLine ? firstLine(prediction) : prediction, answers, context);
}
