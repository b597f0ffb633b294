/**
 * Every kind of file that the program takes from others, and the code that reads it.
 *
 * A file is read as far as a command would read it, without an engine.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readFactors } from '../../../src/calibration/factors-folder.js';
import { calibrationText } from '../../../src/calibration/text.js';
import { readRecord, sizeFault } from '../../../src/pull/record.js';
import { unzipFiles } from '../../../src/pull/unzip.js';
import { UserError } from '../../../src/base/errors.js';
import { openGguf } from '../../../src/checkpoint/gguf/file.js';
import { openModelFiles } from '../../../src/checkpoint/load.js';
import { readModelConfig } from '../../../src/checkpoint/read-config.js';
import { openSafetensors } from '../../../src/checkpoint/safetensors.js';
import type { ModelConfig, WeightSource } from '../../../src/checkpoint/types.js';
import { readResults } from '../../../src/report/read-results.js';
import { accuracyCsv } from '../../../src/results/accuracy.js';
import { inspectFolder } from '../../../src/results/folder.js';
import { memoryCsv } from '../../../src/results/memory.js';
import { mergeFolders } from '../../../src/shards/merge.js';
import { modelUnchanged } from '../../../src/runner/model-record.js';
import { loadSpec, specHash } from '../../../src/experiment/load.js';
import { tasks } from '../../../src/tasks/built-in.js';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import { scoreAnswer } from '../../../src/tasks/score-answer.js';
import { ggufNumber, hostileZip, safetensorsHeader } from './headers.js';
import { jsonLine, jsonValue } from './json.js';
import type { Files, Kind, Mutation } from './kind.js';
import * as data from './sound-data.js';
import * as models from './sound-models.js';
import { YAML_MUTATIONS } from './yaml.js';

const PROBE =
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! The pass key is 71432. \u00e4\ud83d\ude00\t\n  <s> 1,234 don\u2019t \ud800 end';

function readAll(weights: WeightSource): void {
  try {
    for (const name of weights.names) weights.read(name);
  } finally {
    weights.close();
  }
}

/** As `run` opens a model: all its files, a prompt, an answer. */
async function readModel(path: string): Promise<void> {
  readModelConfig(path);
  const { weights, tokenizer, chatTemplate } = await openModelFiles(path);
  readAll(weights);
  for (const special of [false, true]) tokenizer.decode(tokenizer.encode(PROBE, special));
  tokenizer.encode(chatTemplate?.render(PROBE) ?? '');
}

let whole: { readonly whole: Files; readonly shards: Files } | undefined;
const checkpoint = (form: 'whole' | 'shards'): Files => (whole ??= models.checkpoints())[form];

/** A file of a checkpoint folder. */
function ofModel(
  name: string,
  form: 'whole' | 'shards',
  target: RegExp,
  mutations: readonly Mutation[],
): Kind {
  return {
    name,
    sound: () => [checkpoint(form)],
    target: (path) => target.test(path),
    mutations,
    read: readModel,
  };
}

/** Samples of a task as `run` takes them, and what a score makes of them. */
async function readTask(name: string, given: unknown, contextLength: number): Promise<void> {
  const task = tasks.get(name)!;
  const params = task.params.parse(given);
  const countTokens = (text: string): number => Math.ceil(text.length / 4);
  const open = await task.open(params, { contextLength, seed: 1, countTokens, files: new DataFiles() });
  for (let index = 0; index < 3; index++) {
    try {
      const [question] = (await open.sample(index)).questions;
      const score = scoreAnswer(open, 'Paragraph 3, (B) the answer', question, { name, index });
      if (!(score >= 0 && score <= 1)) throw new Error(`${name} scores ${score}`);
    } catch (error) {
      if (index > 0 && error instanceof UserError && error.message.startsWith('expected at least')) return;
      throw error;
    }
  }
}

const READERS: readonly (readonly [file: string, task: string, params: 'folder' | 'file'])[] = [
  ['own.jsonl', 'own/f1', 'file'],
  ['classes.jsonl', 'own/classification', 'file'],
  ['qasper.jsonl', 'longbench/qasper', 'folder'],
  ['trec.jsonl', 'longbench/trec', 'folder'],
  ['passkey.jsonl', 'infinitebench/passkey', 'folder'],
  ['longbook_choice_eng.jsonl', 'infinitebench/longbook_choice_eng', 'folder'],
  ['math_find.jsonl', 'infinitebench/math_find', 'folder'],
  ['longdep_qa.jsonl', 'loogle/longdep_qa', 'folder'],
  ['shortdep_cloze.jsonl', 'loogle/shortdep_cloze', 'folder'],
  ['data.json', 'longbench-v2/choice', 'folder'],
  ['qasper/validation.jsonl', 'zeroscrolls/qasper', 'folder'],
  ['squad.json', 'ruler/qa_1', 'file'],
  ['hotpot.json', 'ruler/qa_2', 'file'],
  ['passkey/x.parquet', 'infinitebench-hub/passkey', 'folder'],
  ['4096/x.parquet', 'ruler-hub/niah_single_1', 'folder'],
];

async function readRows(folder: string): Promise<void> {
  for (const [file, task, param] of READERS) {
    const path = join(folder, file);
    if (existsSync(path)) await readTask(task, { [param]: param === 'file' ? path : folder }, 4096);
  }
}

async function readSpecFile(folder: string): Promise<void> {
  specHash(await loadSpec(join(folder, 'spec.yaml'), { directory: folder }));
}

/** As tables, `status` and `merge` read results; the last writes into the case's folder. */
function readResultFiles(folder: string): void {
  const { results, folders } = readResults([folder]);
  accuracyCsv(results);
  memoryCsv(results);
  const { manifest } = folders[0]!;
  for (const model of manifest.models) modelUnchanged(model, folder);
  inspectFolder(folder, { spec: manifest.spec, specHash: manifest.specHash });
  mergeFolders([folder], join(folder, 'merged'));
}

export const KINDS: readonly Kind[] = [
  { name: 'spec', sound: () => data.SPECS, mutations: YAML_MUTATIONS, read: readSpecFile },
  {
    name: 'GGUF',
    sound: () => models.GGUF,
    mutations: [ggufNumber],
    read: (folder) => readModel(join(folder, 'model.gguf')),
  },
  {
    name: 'GGUF tensors',
    sound: () => models.GGUF_TENSORS,
    mutations: [ggufNumber],
    read: (folder) => {
      readAll(openGguf(join(folder, 'model.gguf')).tensors);
    },
  },
  {
    name: 'safetensors',
    sound: () => models.SAFETENSORS,
    mutations: [safetensorsHeader],
    read: (folder) => {
      readAll(openSafetensors(join(folder, 'x.safetensors')));
    },
  },
  ofModel('checkpoint weights', 'whole', /^model\.safetensors$/, [safetensorsHeader]),
  ofModel('checkpoint shards', 'shards', /^part-|index\.json$/, [jsonValue, safetensorsHeader]),
  ofModel('config.json', 'whole', /^(generation_)?config\.json$/, [jsonValue]),
  ofModel('tokenizer.json', 'whole', /^tokenizer\.json$/, [jsonValue]),
  ofModel('tokenizer_config.json', 'whole', /^tokenizer_config\.json$/, [jsonValue]),
  ofModel('record of a pull', 'whole', /^pull\.json$/, [jsonValue]),
  { name: 'JSON lines', sound: () => data.ROWS, mutations: [jsonLine, jsonLine, jsonValue], read: readRows },
  { name: 'Parquet', sound: () => data.parquetFolders(), mutations: [], read: readRows },
  {
    name: 'journal and manifest',
    sound: () => data.RESULTS,
    mutations: [jsonLine, jsonValue],
    read: readResultFiles,
  },
  {
    name: 'factors',
    sound: () => [models.factors()],
    mutations: [jsonValue, safetensorsHeader],
    mend: models.withDigest,
    read: async (folder) => {
      await readFactors(folder, models.FACTORS_CONFIG as ModelConfig);
    },
  },
  {
    name: 'zip',
    sound: () => data.ARCHIVES,
    mutations: [hostileZip],
    read: (folder) => {
      unzipFiles(join(folder, 'data.zip'), join(folder, 'out'), ['a.jsonl', 'b/c.jsonl']);
    },
  },
  {
    name: 'text',
    sound: () => data.TEXTS,
    mutations: [],
    read: async (folder) => {
      const text = join(folder, 'text.txt');
      calibrationText(text);
      await readTask('ruler/niah_single_2', { essay: text }, 1024);
      await readTask('needle/sandwich', { essay: text, depth: 50 }, 1024);
    },
  },
  {
    name: 'lock of data',
    sound: () => data.DATA_LOCKS,
    target: (path) => path === 'pull.json',
    mutations: [jsonValue],
    read: (folder) => {
      const lock = readRecord(folder);
      if (lock !== undefined) sizeFault(folder, lock);
    },
  },
];
