/** GGUF files of the golden checkpoints, written by the converter's rules: they give the logits of the checkpoints. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { checkWeights } from '../../src/checkpoint/check-weights.js';
import { ggufConfig } from '../../src/checkpoint/gguf/config.js';
import { openGguf } from '../../src/checkpoint/gguf/file.js';
import { ggufWeights } from '../../src/checkpoint/gguf/weights.js';
import { openSafetensors } from '../../src/checkpoint/safetensors.js';
import { openEngine } from '../../src/engine/index.js';
import type { Engine } from '../../src/engine/types.js';
import { logitsAfter } from '../../src/model/decode.js';
import { Transformer } from '../../src/model/transformer.js';
import { writeAsGguf } from '../checkpoint/gguf/converter.js';
import {
  archFolders,
  archJson,
  loadArch,
  unbuilt,
  withWeightsPath,
  type ArchGolden,
} from './arch-folders.js';
import { compressGolden, maxDifference } from './support.js';

type Fields = Readonly<Record<string, unknown>>;

/** What a GGUF file says of a model by constants of llama.cpp, or not at all: the checkpoint is computed with the same. */
function asGgufSays(c: Fields): Fields {
  switch (c['model_type']) {
    case 'gemma2':
    case 'gemma3_text':
      return { query_pre_attn_scalar: c['head_dim'] };
    case 'smollm3':
      return { no_rope_layers: [1, 1, 1, 0] };
    case 'mistral':
      return { sliding_window: null };
    case 'qwen2':
      return { use_sliding_window: false, layer_types: null };
    default:
      return {};
  }
}

/** Folders whose model cannot be said in a GGUF file. */
const NOT_IN_GGUF: Readonly<Record<string, string>> = {
  llama_dynamic: 'dynamic scaling is no type there',
  qwen3_moe_mixed: 'llama.cpp always divides by the sum of the chosen experts',
};

describe('GGUF files of the golden architectures', () => {
  let engine: Engine;
  let temporary = '';
  before(async () => {
    engine = await openEngine('wasm');
    temporary = mkdtempSync(join(tmpdir(), 'spark-eval-gguf-'));
  });
  after(() => {
    rmSync(temporary, { recursive: true, force: true });
  });

  async function logitsOf(model: Transformer, golden: ArchGolden): Promise<Float32Array[]> {
    const { row, logits } = await compressGolden(model, golden.context_ids, []);
    const after = logitsAfter(model, [row], [golden.suffix_ids])[0]!;
    for (const cache of row.caches) cache.free();
    model.dispose();
    return [logits, after];
  }

  for (const folder of archFolders) {
    const reason = unbuilt(folder) ?? NOT_IN_GGUF[folder];
    if (reason !== undefined) {
      it(`${folder}: ${reason}`);
      continue;
    }
    it(folder, async () => {
      const golden = archJson(folder, 'golden.json') as ArchGolden;
      const json = archJson(folder, 'config.json') as Fields;
      const changes = asGgufSays(json);
      const path = join(temporary, `${folder}.gguf`);
      withWeightsPath(folder, (from) => {
        const source = openSafetensors(from);
        writeAsGguf(path, json, source);
        source.close();
      });
      const file = openGguf(path);
      const config = ggufConfig(file);
      const weights = ggufWeights(file, config);
      checkWeights(config, weights, path);
      const model = Transformer.load(engine, { config, weights });
      weights.close();
      const found = await logitsOf(model, golden);
      const expected = await logitsOf(loadArch(engine, folder, changes), golden);
      expect(maxDifference(found[0]!, expected[0]!), 'prefill').to.be.below(1e-4);
      expect(maxDifference(found[1]!, expected[1]!), 'after the suffix').to.be.below(1e-4);
    });
  }
});
