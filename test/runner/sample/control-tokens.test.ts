import { expect } from 'chai';
import { ControlTokens } from '../../../src/runner/sample/control-tokens.js';
import { oneQuestion } from '../../../src/tasks/one-question.js';

const sample = (context: string, place?: string, question = '') =>
  oneQuestion({
    context,
    question,
    answerPrefix: '',
    answers: [],
    maxNewTokens: 1,
    ...(place ? { place } : {}),
  });

describe('runner/control-tokens', () => {
  const controls = ['<eos>', '<eot>', '<|a.b|>', '<|a.b|>c'];

  it('are counted where a text spells them, and said with the first place', () => {
    const found = new ControlTokens({ controls });
    found.look(sample('He wrote (eot).', 'my.jsonl:1'));
    found.look(sample('He wrote <eot> and <eos>, <eot>.', 'my.jsonl:2', ' <eot>?'));
    found.look(sample('<eos>', 'my.jsonl:3'));
    expect(found.remark('own/f1', 'm')).to.equal(
      'own/f1: 2 of 3 samples spell control tokens of m in their text (<eot> 3×, <eos> 2×, first in my.jsonl:2); they are read as these tokens',
    );
  });

  it('are taken literally, the longest first', () => {
    const found = new ControlTokens({ controls });
    found.look(sample('<|axb|> <|a.b|>c'));
    expect(found.remark('t', 'm')).to.include('(<|a.b|>c 1×)');
  });

  it('are named up to four', () => {
    const found = new ControlTokens({ controls: ['<0>', '<1>', '<2>', '<3>', '<4>', '<5>'] });
    found.look(sample('<0><1><2><3><4><5>'));
    expect(found.remark('t', 'm')).to.include('<3> 1× and 2 others');
  });

  it('need no word where there are none', () => {
    for (const own of [controls, [], undefined]) {
      const found = new ControlTokens({ controls: own });
      found.look(sample('nothing'));
      expect(found.remark('t', 'm')).to.equal(undefined);
    }
  });
});
