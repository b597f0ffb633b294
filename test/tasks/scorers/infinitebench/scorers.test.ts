import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../../../src/base/errors.js';
import { choice, debugChoice } from '../../../../src/tasks/scorers/infinitebench/choice.js';
import { infinitebenchScorers } from '../../../../src/tasks/scorers/infinitebench/list.js';
import {
  firstValueIs,
  lastIntegerIs,
  rightBeforeWrong,
} from '../../../../src/tasks/scorers/infinitebench/numbers.js';

describe('InfiniteBench scorers', () => {
  it('are numbers in [0, 1] for any prediction', () => {
    const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }));
    for (const [task, scorer] of Object.entries(infinitebenchScorers)) {
      fc.assert(
        fc.property(anyText, (prediction) => {
          expect(scorer(prediction, ['7', '7']), task).to.be.within(0, 1);
        }),
      );
    }
  });

  it('give an answer that is said as it stands the full score', () => {
    const answers: Readonly<Record<string, readonly string[]>> = {
      code_debug: ['count_buoys', 'B'],
      longbook_choice_eng: ['C'],
      longbook_qa_eng: ['the brass bell'],
      longbook_qa_chn: ['铜钟'],
    };
    for (const [task, scorer] of Object.entries(infinitebenchScorers)) {
      const expected = answers[task] ?? ['71432'];
      expect(scorer(expected.at(-1)!, expected), task).to.equal(1);
    }
  });

  it('compare numbers as numbers, whatever their size and script', () => {
    expect(lastIntegerIs('It is -12.', ['-12'])).to.equal(1);
    expect(lastIntegerIs('9007199254740993', ['9007199254740992'])).to.equal(0);
    expect(firstValueIs('5.250', ['5.25'])).to.equal(1);
    expect(firstValueIs('5.0', ['5'])).to.equal(1);
    expect(firstValueIs('５', ['5'])).to.equal(1);
    expect(rightBeforeWrong('[3, 7, 9, 11]', ['3', '7', '2', '11'])).to.equal(0.5);
    expect(rightBeforeWrong('3', ['3', '7'])).to.equal(0.5);
    expect(() => lastIntegerIs('5', ['five'])).to.throw(UserError, '"five"');
    expect(() => firstValueIs('5', [''])).to.throw(UserError, 'a number');
    expect(() => rightBeforeWrong('5', ['5.5'])).to.throw(UserError, 'an integer');
  });

  it('debug choices may be the letter alone, or name and letter', () => {
    expect(debugChoice('The answer is: B', ['B'])).to.equal(1);
    expect(debugChoice('count_buoys', ['count_buoys', 'B'])).to.equal(1);
    expect(debugChoice('', ['B'])).to.equal(0);
  });

  it('skip one character behind a prefix, an emoji too', () => {
    expect(choice('the answer:😀ferry', ['ferry'])).to.equal(1);
    expect(choice('the answer:ferry', ['ferry'])).to.equal(0);
  });
});
