/**
 * The architectures that are computed, each a table of facts in a file of its own.
 *
 * A new one is a new file and a line here; what computes reads the facts and knows no name.
 */
import { UserError } from '../../base/errors.js';
import { cohere } from './cohere.js';
import { gemma } from './gemma.js';
import { gemma2 } from './gemma2.js';
import { gemma3Text } from './gemma3.js';
import { glm4 } from './glm4.js';
import { gptNeox } from './gpt-neox.js';
import { granite } from './granite.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { olmo2 } from './olmo2.js';
import { phi3 } from './phi3.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';
import { qwen3Moe } from './qwen3-moe.js';
import { smollm3 } from './smollm3.js';
import { stablelm } from './stablelm.js';
import { starcoder2 } from './starcoder2.js';
import type { Architecture, GgufArchitecture } from './types.js';

export const ARCHITECTURES: readonly Architecture[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  qwen3Moe,
  phi3,
  gemma,
  gemma2,
  gemma3Text,
  smollm3,
  olmo2,
  granite,
  cohere,
  glm4,
  stablelm,
  starcoder2,
  gptNeox,
];

/** `model_type` of checkpoints that hold one of these beside something else: their fields are in `text_config`. */
export const WITH_IMAGES: ReadonlyMap<string, Architecture> = new Map([['gemma3', gemma3Text]]);

/** The architecture of a config.json. Throws UserError naming the ones that there are. */
export function architectureOf(modelType: string, place: string): Architecture {
  const found = ARCHITECTURES.find(({ name }) => name === modelType) ?? WITH_IMAGES.get(modelType);
  return found ?? unsupported(modelType, place);
}

/** The architecture of a GGUF file, by `general.architecture`. Throws UserError naming the ones that there are. */
export function ggufArchitectureOf(
  name: string,
  place: string,
): Architecture & { readonly gguf: GgufArchitecture } {
  const found = ARCHITECTURES.find(({ gguf }) => gguf?.name === name);
  if (found?.gguf !== undefined) return { ...found, gguf: found.gguf };
  return unsupported(name, place, ({ gguf }) => gguf?.name);
}

function unsupported(
  name: string,
  place: string,
  nameOf: (architecture: Architecture) => string | undefined = (architecture) => architecture.name,
): never {
  throw new UserError(`architecture "${name}" is not supported`, {
    place,
    hint: `Supported: ${ARCHITECTURES.map(nameOf)
      .filter((one) => one !== undefined)
      .join(', ')}.`,
  });
}
