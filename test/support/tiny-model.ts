/** The tiny Llama of the golden set on an engine: a real forward pass in milliseconds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../src/engine/types.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { Transformer } from '../../src/model/transformer.js';

/** Loads a model of `folder` (default: the fixtures) by architecture name. */
export function loadTinyModel(
  engine: Engine,
  name = 'llama',
  folder = fileURLToPath(new URL('../fixtures/golden', import.meta.url)),
): Transformer {
  const path = join(folder, name);
  const config = parseConfig(
    JSON.parse(readFileSync(join(path, 'config.json'), 'utf8')) as unknown,
    undefined,
    path,
  );
  const weights = openSafetensors(join(path, 'model.safetensors'));
  try {
    return Transformer.load(engine, { config, weights });
  } finally {
    weights.close();
  }
}

/** `count` ids of the tiny vocabulary (160), seeded. */
export function tinyIds(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 3 + ((state >>> 8) % 157);
  });
}
