/**
 * InfiniteBench's scorer per task (arXiv 2402.13718, compute_scores.py).
 *
 * As kvpress's harness has them, which refuses to score longbook_sum_eng.
 */
import type { AnswersScorer } from '../types.js';
import { choice, debugChoice } from './choice.js';
import { firstValueIs, lastIntegerIs, rightBeforeWrong } from './numbers.js';
import { bookF1, bookF1Zh } from './qa.js';
import { anyNameFound, firstNumberIs, keyValueFound } from './retrieval.js';

export const infinitebenchScorers = {
  kv_retrieval: keyValueFound,
  passkey: firstNumberIs,
  number_string: firstNumberIs,
  code_run: lastIntegerIs,
  code_debug: debugChoice,
  math_find: firstValueIs,
  math_calc: rightBeforeWrong,
  longdialogue_qa_eng: anyNameFound,
  longbook_qa_eng: bookF1,
  longbook_qa_chn: bookF1Zh,
  longbook_choice_eng: choice,
} as const satisfies Record<string, AnswersScorer>;
