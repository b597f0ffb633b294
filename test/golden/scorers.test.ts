/**
 * Every scorer against the scores that the reference scorers gave (test/fixtures/scorers/README.md).
 *
 * `SCORERS_DIR` names another folder of the same form. Chinese scores need the optional package @node-rs/jieba.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import {
  lengthBins,
  longbenchTaskScore,
  rulerTaskScore,
  taskAverage,
} from '../../src/tasks/scorers/aggregate.js';
import { classification } from '../../src/tasks/scorers/classification.js';
import { codeSimilarity } from '../../src/tasks/scorers/code-similarity.js';
import { count } from '../../src/tasks/scorers/count.js';
import { infinitebenchScorers } from '../../src/tasks/scorers/infinitebench/list.js';
import { longbenchScoring, scoreLongBench, type LongBenchName } from '../../src/tasks/scorers/longbench.js';
import { bleu } from '../../src/tasks/scorers/loogle/bleu.js';
import { exactGaps, partialGaps } from '../../src/tasks/scorers/loogle/cloze.js';
import { rougeLRecall, rougeRecall } from '../../src/tasks/scorers/loogle/rouge-recall.js';
import { qaF1, qaF1Zh } from '../../src/tasks/scorers/qa-f1.js';
import { retrieval, retrievalZh } from '../../src/tasks/scorers/retrieval.js';
import { rougeL, rougeLWithin, rougeLZh, spaced } from '../../src/tasks/scorers/rouge-l.js';
import { allFound, anyFound, cleanPrediction } from '../../src/tasks/scorers/substring.js';
import type { AnswersScorer, Scorer } from '../../src/tasks/scorers/types.js';
import { skipWithoutJieba } from '../support/jieba.js';

const SCORERS_DIR =
  process.env['SCORERS_DIR'] ?? fileURLToPath(new URL('../fixtures/scorers', import.meta.url));
const TOLERANCE = 1e-12;

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(SCORERS_DIR, `${name}.json`), 'utf8'));
}

function grouped<T>(cases: readonly T[], key: (golden: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const golden of cases) groups.set(key(golden), [...(groups.get(key(golden)) ?? []), golden]);
  return groups;
}

interface FunctionCase {
  readonly id: string;
  readonly metric: string;
  readonly prediction: string;
  readonly ground_truth: string;
  readonly all_classes?: readonly string[] | null;
  readonly score: number | null;
  readonly score_without_recursion_limit?: number;
}

const METRICS: Readonly<Record<string, Scorer>> = {
  qa_f1_score: qaF1,
  qa_f1_zh_score: qaF1Zh,
  rouge_score: rougeL,
  rouge_zh_score: rougeLZh,
  classification_score: classification,
  count_score: count,
  retrieval_score: retrieval,
  retrieval_zh_score: retrievalZh,
  code_sim_score: codeSimilarity,
};
const SEGMENTED = ['qa_f1_zh_score', 'rouge_zh_score'];

describe('golden LongBench scores', () => {
  const cases = read('longbench') as readonly FunctionCase[];
  for (const [metric, group] of grouped(cases, (golden) => golden.metric)) {
    it(`${metric}: ${group.length} cases`, function () {
      if (SEGMENTED.includes(metric)) skipWithoutJieba(this);
      const scorer = METRICS[metric]!;
      for (const { id, prediction, ground_truth, all_classes, score } of group) {
        const scored = () => scorer(prediction, ground_truth, { classes: all_classes ?? undefined });
        if (score === null) expect(scored, id).to.throw(UserError);
        else expect(scored(), id).to.be.closeTo(score, TOLERANCE);
      }
    });
  }

  const deep = cases.filter((golden) => golden.score_without_recursion_limit !== undefined);
  for (const [metric, group] of grouped(deep, (golden) => golden.metric)) {
    it(`${metric} without Python's recursion limit: ${group.length} cases`, function () {
      const segmented = SEGMENTED.includes(metric);
      if (segmented) skipWithoutJieba(this);
      const words = segmented ? spaced : (text: string) => text;
      for (const { id, prediction, ground_truth, score_without_recursion_limit } of group) {
        const lifted = rougeLWithin(words(prediction), words(ground_truth), Infinity);
        expect(lifted, id).to.be.closeTo(score_without_recursion_limit!, TOLERANCE);
      }
    });
  }
});

interface Run {
  readonly id: string;
  readonly dataset: LongBenchName;
  readonly all_classes: readonly string[] | null;
  readonly predictions: readonly string[];
  readonly answers: readonly (readonly string[])[];
  readonly lengths: readonly number[];
  readonly row_scores: readonly number[];
  readonly score: number;
  readonly score_e: Readonly<Record<'0-4k' | '4-8k' | '8k+', number | null>>;
}

describe('golden LongBench data sets', () => {
  const runs = read('longbench_dataset') as readonly Run[];
  for (const [dataset, group] of grouped(runs, (run) => run.dataset)) {
    it(`${dataset}: ${group.length} runs`, function () {
      const { scorer } = longbenchScoring[dataset as LongBenchName];
      if (scorer === qaF1Zh || scorer === rougeLZh) skipWithoutJieba(this);
      for (const { id, predictions, answers, lengths, all_classes, row_scores, score, score_e } of group) {
        const context = { classes: all_classes ?? undefined };
        const scores = predictions.map((prediction, i) =>
          scoreLongBench(dataset as LongBenchName, prediction, answers[i]!, context),
        );
        expect(
          scores.map((row) => longbenchTaskScore([row])),
          id,
        ).to.deep.equal(row_scores);
        expect(longbenchTaskScore(scores), id).to.equal(score);
        const bins = Object.entries(lengthBins(scores, lengths)) as [
          keyof typeof score_e,
          number | undefined,
        ][];
        for (const [bin, value] of bins) expect(value ?? null, `${id} ${bin}`).to.equal(score_e[bin]);
      }
    });
  }
});

interface RulerScores {
  readonly function_cases: readonly {
    readonly id: string;
    readonly function: 'string_match_all' | 'string_match_part';
    readonly predictions: readonly string[];
    readonly answers: readonly (readonly string[])[];
    readonly score: number | null;
  }[];
  readonly rows: readonly {
    readonly id: string;
    readonly task: string;
    readonly prediction: string;
    readonly answers: readonly string[];
    readonly cleaned: string;
    readonly score: number;
  }[];
  readonly task_scores: Readonly<Record<string, number>>;
}

describe('golden RULER scores', () => {
  const golden = read('ruler') as RulerScores;

  it(`functions: ${golden.function_cases.length} cases`, () => {
    for (const { id, function: name, predictions, answers, score } of golden.function_cases) {
      const scorer = name === 'string_match_all' ? allFound : anyFound;
      const scored = () =>
        rulerTaskScore(predictions.map((prediction, i) => scorer(prediction, answers[i]!)));
      // The reference raises without references, and without rows, where a task here has no score.
      if (score === null && predictions.length > 0) expect(scored, id).to.throw(RangeError);
      else expect(scored() ?? null, id).to.equal(score);
    }
  });

  for (const [task, rows] of grouped(golden.rows, (row) => row.task)) {
    it(`${task}: ${rows.length} rows`, () => {
      const scorer = task.startsWith('qa') ? anyFound : allFound;
      const scores = rows.map(({ id, prediction, answers, cleaned, score }) => {
        expect(cleanPrediction(prediction), id).to.equal(cleaned);
        const scored = scorer(cleaned, answers);
        expect(rulerTaskScore([scored]), id).to.equal(score);
        return scored;
      });
      expect(rulerTaskScore(scores)).to.equal(golden.task_scores[task]);
    });
  }
});

describe('golden averages', () => {
  it('over tasks, without those that have no result', () => {
    const cases = read('averages') as readonly {
      readonly id: string;
      readonly scores: Readonly<Record<string, number | null>>;
      readonly average: number;
    }[];
    for (const { id, scores, average } of cases) {
      const values = Object.values(scores).map((score) => score ?? undefined);
      // Of no result at all the reference makes 0 (LongBench) or -1 (RULER); here it has no average.
      const expected = values.every((value) => value === undefined) ? undefined : average;
      expect(taskAverage(values), id).to.equal(expected);
    }
  });
});

interface InfiniteBenchCase {
  readonly id: string;
  readonly task: string;
  readonly prediction: string;
  readonly answer: readonly unknown[];
  readonly score: number | null;
  readonly note: string;
}

interface Mended {
  readonly why: string;
  /** Whether the fault decides the released score. */
  readonly decides: (golden: InfiniteBenchCase) => boolean;
  /** Without the fault, by prediction and answers. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Faults of the released scorers, by task. The data set's own answers are strings. */
const MENDED: Readonly<Record<string, Mended>> = {
  code_run: {
    why: 'a string answer was never equal to the integer that was read',
    decides: ({ answer }) => typeof answer[0] === 'string',
    scores: { '5 | 5': 1 },
  },
  math_calc: {
    why: 'string answers were never equal to the integers that were read',
    decides: ({ answer }) => typeof answer[0] === 'string',
    scores: { '3 | 3 7 2 11': 0.25 },
  },
  math_find: {
    why: 'a string answer stopped the run, and so did a decimal where the answer is an integer',
    decides: ({ score }) => score === null,
    scores: { '5.5 | 5': 0, '5 | 5': 1 },
  },
  code_debug: {
    why: 'an answer of the letter alone stopped the run',
    decides: ({ answer }) => answer.length === 1,
    scores: { 'B | B': 1 },
  },
};

describe('golden InfiniteBench scores', () => {
  const { cases } = read('infinite_bench') as { readonly cases: readonly InfiniteBenchCase[] };
  for (const [task, group] of grouped(cases, (golden) => golden.task)) {
    const scorer = (infinitebenchScorers as Readonly<Record<string, AnswersScorer>>)[task];
    if (scorer === undefined) {
      it(`${task}: neither side scores it`, () => {
        expect(group.map(({ score }) => score)).to.deep.equal(group.map(() => null));
      });
      continue;
    }
    const mended = MENDED[task];
    it(`${task}: ${group.length} cases${mended === undefined ? '' : `; mended: ${mended.why}`}`, () => {
      for (const golden of group) {
        const answers = golden.answer.flat().map(String);
        const scored = scorer(golden.prediction, answers);
        if (mended?.decides(golden) !== true) {
          expect(scored, golden.id).to.be.closeTo(golden.score!, TOLERANCE);
          continue;
        }
        const expected = mended.scores[`${golden.prediction} | ${answers.join(' ')}`];
        if (expected === undefined) expect(scored, golden.id).to.be.within(0, 1);
        else expect(scored, golden.id).to.equal(expected);
      }
    });
  }
});

interface LoogleCase {
  readonly id: string;
  readonly metric: string;
  readonly reference: string;
  readonly prediction: string;
  readonly result: unknown;
}

const LOOGLE: Readonly<Record<string, (golden: LoogleCase) => void>> = {
  get_bleu_score({ id, reference, prediction, result }) {
    const { bleu1, bleu4 } = result as { readonly bleu1: number; readonly bleu4: number };
    expect(bleu(prediction, reference, 1), id).to.be.closeTo(bleu1, TOLERANCE);
    expect(bleu(prediction, reference, 4), id).to.be.closeTo(bleu4, TOLERANCE);
  },
  get_rouge_score({ id, reference, prediction, result }) {
    const scores = result as Readonly<Record<'rouge-1' | 'rouge-2' | 'rouge-l', number>> | null;
    // An empty side raises; the reference's wrapper makes 0 of that.
    expect(rougeRecall(prediction, reference, 1), id).to.be.closeTo(scores?.['rouge-1'] ?? 0, TOLERANCE);
    expect(rougeRecall(prediction, reference, 2), id).to.be.closeTo(scores?.['rouge-2'] ?? 0, TOLERANCE);
    expect(rougeLRecall(prediction, reference), id).to.be.closeTo(scores?.['rouge-l'] ?? 0, TOLERANCE);
  },
  get_exact_match({ id, reference, prediction, result }) {
    const [right, asked] = result as [number, number];
    const gaps = exactGaps(prediction, reference);
    expect(gaps.right, id).to.equal(right);
    // Mended: of a prediction that is no dictionary the released function counts one gap, whatever was asked.
    if (asked !== 1) expect(gaps.asked, id).to.equal(asked);
    else expect(gaps, id).to.deep.equal({ right, asked: partialGaps(prediction, reference).asked });
  },
  get_partial_match({ id, reference, prediction, result }) {
    const [right, asked] = result as [number, number];
    expect(partialGaps(prediction, reference), id).to.deep.equal({ right, asked });
  },
};

describe('golden LooGLE scores', () => {
  const { cases } = read('loogle') as { readonly cases: readonly LoogleCase[] };
  for (const [metric, group] of grouped(cases, (golden) => golden.metric)) {
    it(`${metric}: ${group.length} cases`, () => {
      group.forEach(LOOGLE[metric]!);
    });
  }
});
