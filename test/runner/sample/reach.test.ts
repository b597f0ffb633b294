import { expect } from 'chai';
import type { ModelConfig, Tokenizer } from '../../../src/checkpoint/types.js';
import { FurthestReach, beyondPositions } from '../../../src/runner/sample/reach.js';
import { oneQuestion } from '../../../src/tasks/one-question.js';
import type { Sample } from '../../../src/tasks/types.js';

/** One id per character. */
const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (c) => c.codePointAt(0)!),
  decode: (ids) => String.fromCodePoint(...ids),
  digest: 'characters',
};

function sample(context: number, maxNewTokens: number, answerPrefix = 'It is'): Sample {
  return oneQuestion({
    context: 'h'.repeat(context),
    question: 'where',
    answerPrefix,
    answers: ['here'],
    maxNewTokens,
  });
}

function remark(maxContext: number | undefined, ...samples: Sample[]): string | undefined {
  const reach = new FurthestReach(
    { name: 'm', tokenizer, chatTemplate: undefined, config: { maxPositions: 100 } as ModelConfig },
    { task: 'own/f1', model: 'm', question: 'compressed', maxContext },
  );
  for (const one of samples) reach.look(one);
  return reach.remark();
}

describe('what reaches beyond the positions of a model', () => {
  it('is told of the furthest sample', () => {
    const all = [sample(500, 4), sample(500, 40), sample(500, 40, 'I'), sample(500, 10)];
    expect(remark(90, ...all)).to.equal(
      'own/f1: contexts of up to 90 tokens, 6 behind them and 40 to generate reach 36 beyond the 100 positions of m',
    );
  });

  it('is nothing where it just fits, or where no limit is given', () => {
    expect(remark(90, sample(500, 4))).to.equal(undefined);
    expect(remark(undefined, sample(500, 40))).to.equal(undefined);
  });

  it('is counted where the context is shorter than its limit', () => {
    expect(remark(90, sample(20, 40))).to.equal(undefined);
    expect(remark(90, sample(20, 80))).to.equal(
      'own/f1: contexts of up to 25 tokens, 6 behind them and 80 to generate reach 11 beyond the 100 positions of m',
    );
    // the furthest is not the first that could be
    expect(remark(90, sample(20, 70), sample(500, 20)))
      .to.contain('up to 90 tokens')
      .and.to.contain('reach 16');
  });

  it('can be told without a sample, as the least', () => {
    const group = { task: 'longbench-hub/qmsum', model: 'llama' };
    expect(beyondPositions(group, { context: 7950, answer: 242 }, 8192)).to.equal(undefined);
    expect(beyondPositions(group, { context: 7950, answer: 532 }, 8192)).to.equal(
      'longbench-hub/qmsum: contexts of up to 7950 tokens and 532 to generate reach 290 beyond the 8192 positions of llama, and what stands between them comes on top',
    );
  });
});
