import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { anyFound, fractionFound } from '../../../src/tasks/ruler/score.js';
import { cleanPrediction } from '../../../src/tasks/scorers/substring.js';
import { GOLDEN_DIR } from '../../golden/support.js';

interface GoldenScores {
  readonly rows: readonly {
    readonly id: string;
    readonly task: string;
    readonly prediction: string;
    readonly answers: readonly string[];
    readonly cleaned: string;
    readonly score: number;
  }[];
}

describe('RULER score', () => {
  it('is the fraction of the answers that occur', () => {
    expect(fractionFound('1111111, and 3333333.', ['1111111', '2222222', '3333333', '4444444'])).to.equal(
      0.5,
    );
    expect(fractionFound('It is ABC-DEF.', ['abc-def'])).to.equal(1);
    expect(fractionFound('', ['1'])).to.equal(0);
    expect(() => fractionFound('1', [])).to.throw(RangeError);
  });

  it('is 1 for questions where any answer occurs', () => {
    expect(anyFound('In\tNormandy.', ['france', 'InNormandy'])).to.equal(1);
    expect(anyFound('Rome', ['France', 'Normandy'])).to.equal(0);
    expect(() => anyFound('1', [])).to.throw(RangeError);
  });

  it('cleans as the published harness does', () => {
    expect(cleanPrediction('  12\n34\t ')).to.equal('1234');
    expect(cleanPrediction('\u0085 a\u007fb \x1f\ufeff')).to.equal('a\u007fb \ufeff');
    expect(fractionFound('12\n34567', ['1234567'])).to.equal(1);
  });

  it('equals the reference on its golden rows', () => {
    const { rows } = JSON.parse(
      readFileSync(join(GOLDEN_DIR, 'scorers', 'ruler.json'), 'utf8'),
    ) as GoldenScores;
    expect(rows).to.not.be.empty;
    for (const { id, task, prediction, answers, cleaned, score } of rows) {
      const found = task.startsWith('qa') ? anyFound : fractionFound;
      expect(cleanPrediction(prediction), id).to.equal(cleaned);
      expect(found(prediction, answers) * 100, id).to.be.closeTo(score, 0.005);
    }
  });

  it('stays in [0, 1], and is 1 for a text that lists all answers', () => {
    const answers = fc.array(fc.stringMatching(/^[0-9a-f-]{1,12}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.string(), answers, (prediction, list) => {
        expect(fractionFound(prediction, list)).to.be.within(0, 1);
        expect(fractionFound(`${prediction} ${list.join(', ')}`, list)).to.equal(1);
        expect(anyFound(prediction, list)).to.equal(Math.ceil(fractionFound(prediction, list)));
      }),
    );
  });
});
