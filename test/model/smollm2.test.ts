/** Tokenizer, chat template and weights of a real model against transformers. Needs `spark-eval pull smollm2-135m`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { CATALOGUE, findModel, modelFolder } from '../../src/pull/models.js';
import { expectedTensors } from '../../src/checkpoint/check-weights.js';
import { openModelFiles } from '../../src/checkpoint/load.js';
import { readModelConfig } from '../../src/checkpoint/read-config.js';
import { weightsPresent } from '../../src/pull/locate-model.js';
import type { ModelFiles } from '../../src/checkpoint/types.js';
import { FIXTURES } from './support.js';

interface Golden {
  readonly chat_template: string;
  readonly cases: readonly {
    readonly user_message: string;
    readonly rendered: string;
    readonly suffix_text: string;
    readonly answer_prefix: string;
    readonly context_ids: readonly number[];
    readonly suffix_ids: readonly number[];
    readonly pipelines: readonly { readonly greedy_ids: readonly number[]; readonly text: string }[];
  }[];
}

const golden = JSON.parse(
  readFileSync(join(process.env['GOLDEN_DIR'] ?? join(FIXTURES, 'golden'), 'smollm2/golden.json'), 'utf8'),
) as Golden;

describe('SmolLM2-135M-Instruct', () => {
  let files: ModelFiles;

  before(async function () {
    const folder = modelFolder(findModel('smollm2-135m')!);
    if (!weightsPresent(folder)) {
      console.log(`      skipped: no weights in ${folder} (spark-eval pull smollm2-135m)`);
      this.skip();
    }
    files = await openModelFiles('smollm2-135m');
  });
  after(() => {
    (files as ModelFiles | undefined)?.weights.close();
  });

  it('renders the chat of every case', () => {
    for (const { user_message, rendered, suffix_text, answer_prefix } of golden.cases) {
      expect(files.chatTemplate!.render(user_message) + answer_prefix).to.equal(rendered + suffix_text);
    }
  });

  it('gives the ids of transformers for every case', () => {
    for (const { rendered, suffix_text, context_ids, suffix_ids } of golden.cases) {
      expect(files.tokenizer.encode(rendered)).to.deep.equal(context_ids);
      expect(files.tokenizer.encode(suffix_text)).to.deep.equal(suffix_ids);
    }
  });

  it('gives the texts of transformers for every answer', () => {
    for (const { greedy_ids, text } of golden.cases.flatMap(({ pipelines }) => pipelines)) {
      expect(files.tokenizer.decode(greedy_ids)).to.equal(text);
    }
  });

  it('reads weights that are plausible', () => {
    for (const name of ['model.layers.0.self_attn.q_proj.weight', 'model.layers.29.mlp.down_proj.weight']) {
      const weights = files.weights.read(name);
      const deviation = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
      expect(deviation, name).to.be.within(0.01, 1);
    }
  });
});

describe('the parameters that the catalogue states', () => {
  for (const entry of CATALOGUE) {
    it(`are those of ${entry.name}`, function () {
      const folder = modelFolder(entry);
      if (!weightsPresent(folder)) this.skip();
      const shapes = [...expectedTensors(readModelConfig(entry.name)).values()];
      const count = shapes.reduce((total, shape) => total + shape.reduce((a, b) => a * b, 1), 0);
      expect(count).to.equal(entry.parameters);
    });
  }
});
