/**
 * Opens a model: configuration, weights, tokenizer and chat template from whatever files it has.
 *
 * Configuration and weights are held against each other before anything is computed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createChatTemplate, templateSource } from './chat-template.js';
import { checkWeights, possibleTensors } from './check-weights.js';
import { weightsDigest } from './weights-digest.js';
import { ggufConfig } from './gguf/config.js';
import { openGguf } from './gguf/file.js';
import { ggufWeights } from './gguf/weights.js';
import { ggufSpecialTokens, ggufTokenizerJson, ggufTokenizerSettings } from './gguf/tokenizer.js';
import { UserError } from '../base/errors.js';
import { readJsonFile, readTextFile } from '../base/json.js';
import { type ModelLocation, resolveModel } from '../pull/locate-model.js';
import { sameWeights } from './packed-weights.js';
import { optionalJson, readFolderModel } from './read-config.js';
import { openShards, shardPaths } from './safetensors-shards.js';
import { openSafetensors } from './safetensors.js';
import { withLayout } from './tensor-layout.js';
import { createTokenizer, specialTokens } from './tokenizer.js';
import type { ChatTemplate, ModelConfig, ModelFiles, Tokenizer, WeightSource } from './types.js';

export { resolveModel } from '../pull/locate-model.js';

const HEAD = 'lm_head.weight';
const EMBEDDING = 'model.embed_tokens.weight';

/** Rows of head and embedding that are in memory at a time. */
const ROWS_COMPARED = 1024;

interface OpenText {
  readonly tokenizer: Tokenizer;
  readonly chatTemplate: ChatTemplate | undefined;
}

interface OpenParts {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  readonly text: () => OpenText;
}

/**
 * Opens a model for reading; `weights.close()` gives its files back.
 *
 * @param nameOrPath a name of the catalogue, a checkpoint folder, or a .gguf file
 * @throws UserError where the model is missing, a file is damaged, or it is of a kind that is not supported
 */
export async function openModelFiles(nameOrPath: string): Promise<ModelFiles> {
  const location = resolveModel(nameOrPath);
  const {
    config: written,
    weights,
    text,
  } = location.kind === 'gguf' ? openGgufParts(location) : openFolderParts(location);
  try {
    checkWeights(written, weights, location.weights);
    const untied = hasOwnHead(written, weights);
    const headed = untied ? { ...written, tiedHead: false } : written;
    if (untied) checkWeights(headed, weights, location.weights);
    const { tokenizer, chatTemplate } = text();
    const endIds = [...new Set([...written.eosIds, ...(tokenizer.endIds ?? [])])];
    const config = { ...headed, eosIds: endIds.filter((id) => id < written.vocabulary) };
    const paths = location.kind === 'shards' ? shardPaths(location.weights) : [location.weights];
    return {
      ...{ name: location.name, config, weights, tokenizer, chatTemplate },
      weightsDigest: await weightsDigest(paths),
      notes: [
        ...(untied ? ['tie_word_embeddings is true, but lm_head.weight is another matrix: it is used'] : []),
        ...(config.eosIds.length === 0
          ? ['no file names a token that ends an answer: answers run to their longest']
          : []),
        ...(location.kind === 'gguf' ? [] : adapterNotes(location.folder)),
      ],
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** What a model's texts go through: its tokenizer, chat template and configuration. No weights are read. */
export function openModelText(
  nameOrPath: string,
): Pick<ModelFiles, 'name' | 'config' | 'tokenizer' | 'chatTemplate'> {
  const location = resolveModel(nameOrPath);
  const { config, weights, text } =
    location.kind === 'gguf' ? openGgufParts(location) : openFolderParts(location);
  try {
    return { name: location.name, config, ...text() };
  } finally {
    weights.close();
  }
}

/** Whether a model that says that its head is the embedding holds another one. */
function hasOwnHead({ tiedHead, vocabulary }: ModelConfig, weights: WeightSource): boolean {
  if (!tiedHead || !weights.names.includes(HEAD)) return false;
  const shapes = [HEAD, EMBEDDING].map((name) => weights.shape(name).join());
  if (shapes[0] !== shapes[1]) return true;
  for (let first = 0; first < vocabulary; first += ROWS_COMPARED) {
    const rows = { first, count: Math.min(ROWS_COMPARED, vocabulary - first) };
    if (!sameWeights(weights.packed(HEAD, rows), weights.packed(EMBEDDING, rows))) return true;
  }
  return false;
}

/** A fine-tuning that lies beside the weights of its base model. */
function adapterNotes(folder: string): string[] {
  const found = ['adapter_model.safetensors', 'adapter_model.bin', 'adapter_config.json'].find((file) =>
    existsSync(join(folder, file)),
  );
  return found === undefined ? [] : [`the adapter beside the weights (${found}) is not applied`];
}

function openGgufParts({ weights: path }: ModelLocation): OpenParts {
  const gguf = openGguf(path);
  try {
    const config = ggufConfig(gguf);
    const { metadata } = gguf;
    return {
      config,
      weights: ggufWeights(gguf, config),
      text: () => {
        const source = metadata.optionalString('tokenizer.chat_template');
        const settings = ggufTokenizerSettings(metadata);
        return {
          tokenizer: createTokenizer(ggufTokenizerJson(metadata), settings, config.vocabulary, path),
          chatTemplate:
            source === undefined ? undefined : createChatTemplate(source, ggufSpecialTokens(metadata), path),
        };
      },
    };
  } catch (error) {
    gguf.tensors.close();
    throw error;
  }
}

function openFolderParts({ folder, kind, weights }: ModelLocation): OpenParts {
  const { config, layout } = readFolderModel(folder);
  const file = kind === 'shards' ? openShards(weights) : openSafetensors(weights);
  return {
    config,
    weights: withLayout(file, layout, config, possibleTensors(config)),
    text: () => readFolderText(folder, config.vocabulary),
  };
}

function readFolderText(folder: string, vocabulary: number): OpenText {
  const tokenizerPath = join(folder, 'tokenizer.json');
  const settingsPath = join(folder, 'tokenizer_config.json');
  const templatePath = join(folder, 'chat_template.jinja');
  if (!existsSync(tokenizerPath)) {
    throw new UserError('is missing: the tokenizer is read from it', {
      place: tokenizerPath,
      hint: 'tokenizer.model and vocab.json are not read. Fetch it too, or write it: AutoTokenizer.from_pretrained(…).save_pretrained(…).',
    });
  }
  const settings = withSpecialTokens(
    optionalJson(settingsPath) ?? {},
    optionalJson(join(folder, 'special_tokens_map.json')),
  );
  const ownFile = existsSync(templatePath);
  const source = ownFile ? readTextFile(templatePath) : templateSource(settings, settingsPath);
  return {
    tokenizer: createTokenizer(readJsonFile(tokenizerPath), settings, vocabulary, tokenizerPath),
    chatTemplate:
      source === undefined
        ? undefined
        : createChatTemplate(
            source,
            specialTokens(settings, settingsPath),
            ownFile ? templatePath : settingsPath,
          ),
  };
}

/** Beginning and end token of special_tokens_map.json where tokenizer_config.json names none. */
function withSpecialTokens(settings: unknown, map: unknown): unknown {
  if (typeof settings !== 'object' || settings === null || typeof map !== 'object' || map === null)
    return settings;
  const own = settings as Readonly<Record<string, unknown>>;
  const others = Object.entries(map).filter(
    ([name, token]) => (name === 'bos_token' || name === 'eos_token') && Boolean(token) && !own[name],
  );
  return others.length === 0 ? settings : { ...own, ...Object.fromEntries(others) };
}
