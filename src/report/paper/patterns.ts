/**
 * The systems of the paper's tables as pipelines, and what the paper set in all of them.
 *
 * They tell published rows apart, and from the corrected forms that are run beside them.
 */
import { FAULTS } from '../faults.js';
import type { ParamValue, Pattern } from './types.js';

const BASES: Readonly<Record<string, Pattern[number]>> = {
  StreamingLLM: { method: 'streaming_llm', params: {} },
  ExpectedAttention: { method: 'expected_attention', params: {} },
  TOVA: { method: 'tova', params: {} },
  SnapKV: { method: 'snapkv', params: {} },
  PyramidKV: { method: 'pyramidkv', params: { variant: 'released' } },
};

/** SparK on top of SnapKV, told apart by these parameters beside the defaults. */
export function sparkStep(params: Readonly<Record<string, ParamValue>>): Pattern[number] {
  return {
    method: 'spark',
    params: { adaptive: 'none', recovery: 'degenerate', value_ratio: 0, ...params },
  };
}

/** `SnapKV+ThinK` at a ratio of channels; nothing for `Vanilla`. */
export function patternOf(method: string, ratio: number | undefined): Pattern {
  if (method === 'Vanilla') return [];
  const [base, channels] = method.split('+');
  const step = BASES[base!];
  if (step === undefined) throw new Error(`unknown system ${method}`);
  if (channels === undefined || ratio === undefined) return [step];
  if (channels === 'ThinK')
    return [step, { method: 'think', params: { ratio, value_ratio: 0, variant: 'kvpress' } }];
  return [step, sparkStep({ ratio })];
}

export const SETTINGS: Readonly<Record<string, ParamValue>> = {
  'snapkv.window': 64,
  'snapkv.kernel': 5,
  'snapkv.pool': 'average',
  'pyramidkv.window': 64,
  'pyramidkv.kernel': 5,
  'pyramidkv.pool': 'average',
  'pyramidkv.beta': 20,
  'think.window': 32,
  'think.mask': 'kv_head',
  'spark.window': 32,
  'spark.recent': 0,
  'spark.saliency': 'released',
  'spark.reduce': 'l2',
  'spark.rounding': 'int',
};

export const LONGBENCH_NOISE = {
  points: 0.3,
  source:
    'in Table 1, PyramidKV+SparK at 0.8 is the same computation at 128 and 512 on all but short prompts, and its averages differ by 0.30; no deviations are published',
} as const;

/** Marks of the faults that a system of the tables ran under. */
export function publishedMarks(method: string, evictsByBudget: boolean): string[] {
  return [
    ...(method.startsWith('PyramidKV') && evictsByBudget ? [FAULTS.pyramid.mark] : []),
    ...(method.endsWith('ThinK') ? [FAULTS.think.mark] : []),
  ];
}

export const LONGBENCH = {
  model: 'llama-3-8b-instruct',
  families: ['longbench', 'longbench-hub'],
  /** Columns of the published file, and their titles in the paper. */
  tasks: {
    narrativeqa: 'NrtvQA',
    qasper: 'Qasper',
    multifieldqa_en: 'MF-en',
    hotpotqa: 'HotpotQA',
    '2wikimqa': '2WikiMQA',
    musique: 'Musique',
    gov_report: 'GovReport',
    qmsum: 'QMSum',
    multi_news: 'MultiNews',
    trec: 'TREC',
    triviaqa: 'TriviaQA',
    samsum: 'SAMSum',
    passage_count: 'PCount',
    passage_retrieval_en: 'PRe',
    lcc: 'Lcc',
    'repobench-p': 'RB-P',
  },
  samples: {
    narrativeqa: 200,
    qasper: 200,
    multifieldqa_en: 150,
    hotpotqa: 200,
    '2wikimqa': 200,
    musique: 200,
    gov_report: 200,
    qmsum: 200,
    multi_news: 200,
    trec: 200,
    triviaqa: 200,
    samsum: 200,
    passage_count: 200,
    passage_retrieval_en: 200,
    lcc: 500,
    'repobench-p': 500,
  },
} as const;
