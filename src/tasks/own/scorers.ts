/**
 * The scorers that a user may name for data of their own.
 *
 * Decides their names. How each works is in scorers/.
 */
import { classification } from '../scorers/classification.js';
import { codeSimilarity } from '../scorers/code-similarity.js';
import { count } from '../scorers/count.js';
import { strip } from '../scorers/python-text.js';
import { qaF1, qaF1Zh } from '../scorers/qa-f1.js';
import { rougeL, rougeLZh } from '../scorers/rouge-l.js';
import { allFound, anyFound, cleanPrediction } from '../scorers/substring.js';
import { bestScore, type ScoreContext, type Scorer } from '../scorers/types.js';

export interface OwnScorer {
  readonly summary: string;
  /** Every row must have class names. */
  readonly needsClasses?: boolean;
  /** Of a prediction against all answers, in [0, 1]. */
  readonly score: (prediction: string, answers: readonly string[], context?: ScoreContext) => number;
}

const best =
  (scorer: Scorer): OwnScorer['score'] =>
  (prediction, answers, context) =>
    bestScore(scorer, prediction, answers, context);

export const OWN_SCORERS = {
  exact: {
    summary: '1 where an answer is the whole prediction, white space around them aside',
    score: best((prediction, answer) => (strip(prediction) === strip(answer) ? 1 : 0)),
  },
  f1: { summary: 'F1 of words', score: best(qaF1) },
  f1_zh: { summary: 'F1 of Chinese words', score: best(qaF1Zh) },
  rouge_l: { summary: 'ROUGE-L', score: best(rougeL) },
  rouge_l_zh: { summary: 'ROUGE-L of Chinese words', score: best(rougeLZh) },
  contains_all: {
    summary: 'the fraction of the answers that the prediction contains',
    score: (prediction, answers) => allFound(cleanPrediction(prediction), answers),
  },
  contains_any: {
    summary: '1 where the prediction contains an answer',
    score: (prediction, answers) => anyFound(cleanPrediction(prediction), answers),
  },
  classification: {
    summary: 'whether the prediction names the right one of the classes of its row',
    needsClasses: true,
    score: best(classification),
  },
  count: { summary: 'the fraction of the numbers of the prediction that are the answer', score: best(count) },
  code_similarity: { summary: 'similarity of a line of code', score: best(codeSimilarity) },
} as const satisfies Record<string, OwnScorer>;
