/**
 * Opens a model: configuration, weights, tokenizer and chat template from whatever files it has.
 *
 * Decides which file gives what, and that configuration and weights fit each other before anything is computed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createChatTemplate, templateSource } from './chat-template.js';
import { checkWeights, possibleTensors } from './check-weights.js';
import { weightsDigest } from './weights-digest.js';
import { ggufConfig } from './gguf/config.js';
import { openGguf } from './gguf/file.js';
import { ggufWeights } from './gguf/weights.js';
import { ggufSpecialTokens, ggufTokenizerJson } from './gguf/tokenizer.js';
import { readJsonFile, readTextFile } from '../base/json.js';
import { type ModelLocation, resolveModel } from '../pull/locate-model.js';
import { optionalJson, readFolderModel } from './read-config.js';
import { openShards, shardPaths } from './safetensors-shards.js';
import { openSafetensors } from './safetensors.js';
import { withLayout } from './tensor-layout.js';
import { createTokenizer, specialTokens } from './tokenizer.js';
import type { ChatTemplate, ModelConfig, ModelFiles, Tokenizer, WeightSource } from './types.js';

export { resolveModel } from '../pull/locate-model.js';

interface OpenParts {
  readonly config: ModelConfig;
  readonly weights: WeightSource;
  readonly text: () => { readonly tokenizer: Tokenizer; readonly chatTemplate: ChatTemplate | undefined };
}

/**
 * Opens a model for reading; `weights.close()` gives its files back.
 *
 * @param nameOrPath a name of the catalogue, a checkpoint folder, or a .gguf file
 * @throws UserError where the model is missing, a file is damaged, or it is of a kind that is not supported
 */
export async function openModelFiles(nameOrPath: string): Promise<ModelFiles> {
  const location = resolveModel(nameOrPath);
  const { config, weights, text } =
    location.kind === 'gguf' ? openGgufParts(location) : openFolderParts(location);
  try {
    checkWeights(config, weights, location.weights);
    const paths = location.kind === 'shards' ? shardPaths(location.weights) : [location.weights];
    return { name: location.name, config, weights, ...text(), weightsDigest: await weightsDigest(paths) };
  } catch (error) {
    weights.close();
    throw error;
  }
}

function openGgufParts({ weights: path }: ModelLocation): OpenParts {
  const gguf = openGguf(path);
  try {
    const config = ggufConfig(gguf);
    return {
      config,
      weights: ggufWeights(gguf, config),
      text: () => {
        const source = gguf.metadata.optionalString('tokenizer.chat_template');
        return {
          tokenizer: createTokenizer(ggufTokenizerJson(gguf.metadata), {}, config.vocabulary, path),
          chatTemplate:
            source === undefined
              ? undefined
              : createChatTemplate(source, ggufSpecialTokens(gguf.metadata), path),
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

function readFolderText(folder: string, vocabulary: number): ReturnType<OpenParts['text']> {
  const tokenizerPath = join(folder, 'tokenizer.json');
  const settingsPath = join(folder, 'tokenizer_config.json');
  const templatePath = join(folder, 'chat_template.jinja');
  const settings = optionalJson(settingsPath) ?? {};
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
