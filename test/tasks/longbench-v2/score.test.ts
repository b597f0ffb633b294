import { expect } from 'chai';
import { chosenLetter, rightLetter } from '../../../src/tasks/longbench-v2/score.js';

describe('chosenLetter', () => {
  for (const [prediction, letter] of [
    ['The correct answer is (B)', 'B'],
    ['The correct answer is B', 'B'],
    ['**The correct answer is (B)**.', 'B'],
    ['The correct answer is **B**', 'B'],
    ['I think so. The correct answer is (D) since … The correct answer is (A)', 'D'],
    ['The correct answer is A, or: The correct answer is (C)', 'C'],
    ['The correct answer is (B', undefined],
    ['The correct answer is (E)', undefined],
    ['the correct answer is (B)', undefined],
    ['(B)', undefined],
    ['B', undefined],
    ['', undefined],
  ] as const) {
    it(`${JSON.stringify(prediction)} chooses ${letter ?? 'nothing'}`, () => {
      expect(chosenLetter(prediction)).to.equal(letter);
      expect(rightLetter(prediction, ['B'])).to.equal(letter === 'B' ? 1 : 0);
    });
  }
});
