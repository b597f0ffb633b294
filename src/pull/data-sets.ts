/**
 * The data sets that have a name: what they are, where their files come from, and who reads them.
 *
 * A task may also be pointed at a copy that lies elsewhere.
 */
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.js';
import type { HubSource, SiteSource } from './sources.js';

export interface DataSet {
  readonly name: string;
  readonly title: string;
  /** SPDX identifier, or in words. */
  readonly licence: string;
  /** Families of tasks that read it. */
  readonly usedBy: readonly string[];
  readonly source: HubSource | SiteSource;
  /** Bytes to download, approximately; undefined where only the hub knows. */
  readonly downloadBytes?: number;
  /** Paths of its files in its folder. One that ends in `/` is a folder of Parquet files. */
  readonly files: readonly string[];
}

const LONGBENCH = [
  ...['narrativeqa', 'qasper', 'multifieldqa_en', 'multifieldqa_zh', 'hotpotqa', '2wikimqa', 'musique'],
  ...['dureader', 'gov_report', 'qmsum', 'multi_news', 'vcsum', 'trec', 'triviaqa', 'samsum', 'lsht'],
  ...['passage_count', 'passage_retrieval_en', 'passage_retrieval_zh', 'lcc', 'repobench-p'],
];
const LONGBENCH_E = [
  ...['qasper', 'multifieldqa_en', 'hotpotqa', '2wikimqa', 'gov_report', 'multi_news', 'trec', 'triviaqa'],
  ...['samsum', 'passage_count', 'passage_retrieval_en', 'lcc', 'repobench-p'],
];
const INFINITEBENCH = [
  ...['passkey', 'number_string', 'kv_retrieval', 'longbook_sum_eng', 'longbook_choice_eng'],
  ...['longbook_qa_eng', 'longbook_qa_chn', 'longdialogue_qa_eng', 'math_find', 'math_calc'],
  ...['code_run', 'code_debug'],
];
const LOOGLE = ['shortdep_qa', 'longdep_qa', 'longdep_summarization', 'shortdep_cloze'];
const ZERO_SCROLLS = [
  ...['gov_report', 'summ_screen_fd', 'qmsum', 'squality', 'qasper', 'narrative_qa', 'quality', 'musique'],
  ...['space_digest', 'book_sum_sort'],
];

const jsonl = (task: string): string => `${task}.jsonl`;
const folder = (task: string): string => `${task}/`;

export const DATA_SETS: readonly DataSet[] = [
  {
    name: 'longbench',
    title: 'LongBench and LongBench-E, the official data.zip',
    licence: 'MIT',
    usedBy: ['longbench', 'longbench-e'],
    source: { kind: 'hub', repository: 'THUDM/LongBench', archives: ['data.zip'] },
    downloadBytes: 114_000_000,
    files: [...LONGBENCH.map(jsonl), ...LONGBENCH_E.map((task) => jsonl(`${task}_e`))],
  },
  {
    name: 'longbench-hub',
    title: "LongBench as the SparK paper's harness reads it",
    licence: 'none stated (rows of LongBench, MIT)',
    usedBy: ['longbench-hub'],
    source: {
      kind: 'hub',
      repository: 'Xnhyacinth/LongBench',
      revision: '2e9ade51ebf45d98942056c0716234f9d5d257d5',
    },
    files: LONGBENCH.map(folder),
  },
  {
    name: 'ruler-hub',
    title: "RULER as the SparK paper's harness reads it",
    licence: 'none stated (made with RULER, Apache-2.0)',
    usedBy: ['ruler-hub'],
    source: {
      kind: 'hub',
      repository: 'simonjegou/ruler',
      revision: '24adceac8a0e6532936e8d721cd9e9084d2e4686',
    },
    files: ['4096/', '8192/', '16384/'],
  },
  {
    name: 'squad-v2-dev',
    title: 'SQuAD v2, development set',
    licence: 'CC-BY-SA-4.0',
    usedBy: ['ruler'],
    source: {
      kind: 'site',
      url: 'https://rajpurkar.github.io/SQuAD-explorer/dataset/dev-v2.0.json',
      bytes: 4_370_528,
      sha256: '80a5225e94905956a6446d296ca1093975c4d3b3260f1d6c8f68bc2ab77182d8',
    },
    downloadBytes: 4_370_528,
    files: ['dev-v2.0.json'],
  },
  {
    name: 'hotpotqa-dev',
    title: 'HotpotQA, development set, distractor setting',
    licence: 'CC-BY-SA-4.0',
    usedBy: ['ruler'],
    source: {
      kind: 'site',
      url: 'http://curtis.ml.cmu.edu/datasets/hotpot/hotpot_dev_distractor_v1.json',
      bytes: 46_320_117,
      sha256: '4e9ecb5c8d3b719f624d66b60f8d56bf227f03914f5f0753d6fa1b359d7104ea',
    },
    downloadBytes: 46_320_117,
    files: ['hotpot_dev_distractor_v1.json'],
  },
  {
    name: 'infinitebench',
    title: 'InfiniteBench',
    licence: 'Apache-2.0',
    usedBy: ['infinitebench'],
    source: { kind: 'hub', repository: 'xinrongzhang2022/InfiniteBench' },
    downloadBytes: 2_500_000_000,
    files: INFINITEBENCH.map(jsonl),
  },
  {
    name: 'infinitebench-hub',
    title: "InfiniteBench as the SparK paper's harness reads it",
    licence: 'none stated (rows of InfiniteBench, Apache-2.0)',
    usedBy: ['infinitebench-hub'],
    source: { kind: 'hub', repository: 'MaxJeblick/InfiniteBench' },
    files: INFINITEBENCH.map(folder),
  },
  {
    name: 'loogle',
    title: 'LooGLE, the official data.zip',
    licence: 'CC-BY-SA-4.0',
    usedBy: ['loogle'],
    source: { kind: 'hub', repository: 'bigai-nlco/LooGLE', archives: ['data.zip'] },
    downloadBytes: 33_100_000,
    files: LOOGLE.map(jsonl),
  },
  {
    name: 'loogle-hub',
    title: "LooGLE as the SparK paper's harness reads it",
    licence: 'none stated (rows of LooGLE, CC-BY-SA-4.0)',
    usedBy: ['loogle-hub'],
    source: { kind: 'hub', repository: 'simonjegou/loogle' },
    files: LOOGLE.map(folder),
  },
  {
    name: 'zero-scrolls',
    title: 'ZeroSCROLLS, validation split',
    licence: 'none stated (each task under that of its source)',
    usedBy: ['zeroscrolls'],
    source: {
      kind: 'hub',
      repository: 'tau/zero_scrolls',
      archives: ZERO_SCROLLS.map((task) => `${task}.zip`),
    },
    downloadBytes: 135_000_000,
    files: ZERO_SCROLLS.map((task) => `${task}/validation.jsonl`),
  },
  {
    name: 'longbench-v2',
    title: 'LongBench v2',
    licence: 'Apache-2.0',
    usedBy: ['longbench-v2'],
    source: { kind: 'hub', repository: 'THUDM/LongBench-v2' },
    downloadBytes: 465_000_000,
    files: ['data.json'],
  },
];

export const DATA_SET_NAMES: readonly string[] = DATA_SETS.map(({ name }) => name);

export function findDataSet(name: string): DataSet | undefined {
  return DATA_SETS.find((entry) => entry.name === name);
}

/** Absolute path of the folder that holds, or would hold, a data set's files. */
export function dataSetFolder(name: string): string {
  return join(cacheFolder(), 'data', name);
}
