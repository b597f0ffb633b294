/**
 * The scorers that a user may name for data of their own, and the answers that each can find.
 *
 * Benchmarks score as they were released; here what can be right must be able to score, so that both sides are cleaned alike,
 * and an answer that no prediction could match is refused with its line.
 */
import { classification } from '../scorers/classification.js';
import { codeSimilarity } from '../scorers/code-similarity.js';
import { count } from '../scorers/count.js';
import { normaliseChinese } from '../scorers/normalise-answer.js';
import { digitRuns, strip } from '../scorers/python-text.js';
import { qaF1Zh } from '../scorers/qa-f1.js';
import { rougeL, rougeLZh } from '../scorers/rouge-l.js';
import { allFound, anyFound, cleanPrediction } from '../scorers/substring.js';
import { bestScore, type ScoreContext, type Scorer } from '../scorers/types.js';
import { ownF1 } from './f1.js';

export interface OwnScorer {
  readonly summary: string;
  /** Every row must have class names. */
  readonly needsClasses?: boolean;
  /** What an answer must be, in words, where some prediction could not be right otherwise. */
  readonly refuses?: (answer: string, classes: readonly string[]) => string | undefined;
  /** Of a prediction against all answers, in [0, 1]. */
  readonly score: (prediction: string, answers: readonly string[], context?: ScoreContext) => number;
}

const best =
  (scorer: Scorer): OwnScorer['score'] =>
  (prediction, answers, context) =>
    bestScore(scorer, prediction, answers, context);

/** Of an answer of control characters nothing is left when it is cleaned. */
function onlyControls(answer: string): string | undefined {
  return cleanPrediction(answer) === '' ? 'more than control characters' : undefined;
}

/** ROUGE cuts sentences at full stops. */
function onlyStops(answer: string): string | undefined {
  return /^[.\s]*$/u.test(answer) ? 'more than full stops' : undefined;
}

export const OWN_SCORERS = {
  exact: {
    summary: '1 where an answer is the whole prediction, white space around them aside',
    score: best((prediction, answer) => (strip(prediction) === strip(answer) ? 1 : 0)),
  },
  f1: { summary: 'F1 of words; of characters where a script has no spaces', score: best(ownF1) },
  f1_zh: {
    summary: 'F1 of Chinese words',
    score: best(qaF1Zh),
    refuses: (answer) => (normaliseChinese(answer) === '' ? 'more than punctuation' : undefined),
  },
  rouge_l: { summary: 'ROUGE-L', score: best(rougeL), refuses: onlyStops },
  rouge_l_zh: { summary: 'ROUGE-L of Chinese words', score: best(rougeLZh), refuses: onlyStops },
  contains_all: {
    summary: 'the fraction of the answers that the prediction contains',
    score: (prediction, answers) => allFound(cleanPrediction(prediction), answers.map(cleanPrediction)),
    refuses: onlyControls,
  },
  contains_any: {
    summary: '1 where the prediction contains an answer',
    score: (prediction, answers) => anyFound(cleanPrediction(prediction), answers.map(cleanPrediction)),
    refuses: onlyControls,
  },
  classification: {
    summary: 'whether the prediction names the right one of the classes of its row',
    needsClasses: true,
    score: best(classification),
    refuses: (answer, classes) => (classes.includes(answer) ? undefined : 'one of the classes of its row'),
  },
  count: {
    summary: 'the fraction of the numbers of the prediction that are the answer',
    score: best(count),
    refuses: (answer) => (digitRuns(answer)[0] === answer ? undefined : 'a number of digits alone'),
  },
  code_similarity: { summary: 'similarity of a line of code', score: best(codeSimilarity) },
} as const satisfies Record<string, OwnScorer>;
