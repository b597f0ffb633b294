/** What holds for every generator of RULER beside the needle tasks. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import { tasks } from '../../../src/tasks/built-in.js';
import { rulerTasks } from '../../../src/tasks/ruler/list.js';
import { digestOf, drawn, opened, scored } from '../loader-support.js';
import { countTokens, draw, HOTPOT, promptOf, SQUAD, tokensOf, type Asked } from './support.js';

interface Expected {
  readonly lengths: readonly number[];
  /** Tokens of the largest unit of haystack. */
  readonly unit: number;
  readonly answers: number;
  readonly maxNewTokens: number;
  readonly params?: Readonly<Record<string, unknown>>;
}

const expected: Readonly<Record<string, Expected>> = {
  vt: { lengths: [700, 2048, 4096, 9000], unit: 26, answers: 5, maxNewTokens: 30 },
  cwe: { lengths: [900, 2048, 4095, 8192], unit: 60, answers: 10, maxNewTokens: 120 },
  fwe: { lengths: [400, 1024, 4096, 9000], unit: 24, answers: 3, maxNewTokens: 50 },
  qa_1: { lengths: [300, 350, 400], unit: 60, answers: 2, maxNewTokens: 32, params: { file: SQUAD } },
  qa_2: { lengths: [230, 260, 300], unit: 60, answers: 1, maxNewTokens: 32, params: { file: HOTPOT } },
};

describe('RULER', () => {
  it('has thirteen tasks, in the order of the paper', () => {
    expect(rulerTasks.map(({ name }) => name.replace('ruler/', '')).slice(8)).to.deep.equal(
      Object.keys(expected),
    );
    expect(rulerTasks).to.have.length(13);
  });

  for (const [task, { lengths, unit, answers, maxNewTokens, params = {} }] of Object.entries(expected)) {
    describe(task, () => {
      const at = (asked: Asked = {}) => draw(task, { contextLength: lengths[1]!, params, ...asked });

      for (const contextLength of lengths) {
        it(`fills ${contextLength} tokens as far as whole units go`, () => {
          for (const index of [0, 1, 2]) {
            const total = tokensOf(at({ contextLength, index }));
            expect(total).to.be.at.most(contextLength);
            expect(total).to.be.above(contextLength - unit);
          }
        });
      }

      it('has its answers and its limit of new tokens', () => {
        expect(at().answers).to.have.length(answers);
        expect(new Set(at().answers).size).to.equal(answers);
        expect(at().maxNewTokens).to.equal(maxNewTokens);
      });

      it('is the same for the same request, and another for another seed, index or length', () => {
        const sample = at();
        expect(at()).to.deep.equal(sample);
        for (const other of [{ seed: 43 }, { index: 1 }, { contextLength: lengths[1]! + 40 }]) {
          expect(at(other).context).to.not.equal(sample.context);
        }
      });

      it('names a length that works where the given one is too short', () => {
        let found: UserError | undefined;
        try {
          at({ contextLength: 60 });
        } catch (error) {
          if (error instanceof UserError) found = error;
        }
        expect(found?.message).to.match(/a context of 60 tokens is too short; .* sample 0 fits into \d+$/);
        expect(found?.exitCode).to.equal(2);
        const works = Number(/\d+$/.exec(found!.message)![0]);
        expect(tokensOf(at({ contextLength: works }))).to.be.at.most(works);
        // Another length draws another sample, a few tokens longer or shorter.
        expect(() => at({ contextLength: works - 80 })).to.throw(UserError);
      });

      it('counts tokens only a few times', () => {
        let calls = 0;
        const counting = (text: string) => {
          calls++;
          return countTokens(text);
        };
        const context = { contextLength: lengths.at(-1)!, seed: 1, countTokens: counting };
        drawn(opened(tasks.get(`ruler/${task}`)!, params, context));
        expect(calls).to.be.at.most(14);
      });

      it('gives full marks to the answer that it expects, none to an empty one', () => {
        const known = opened(tasks.get(`ruler/${task}`)!, params);
        const { answers: right } = at();
        expect(scored(known, right.join(' '), right)).to.equal(1);
        expect(scored(known, '', right)).to.equal(0);
        expect(scored(known, right[0]!, right)).to.equal(task.startsWith('qa') ? 1 : 1 / right.length);
      });

      it('has a digest of its own', () => {
        const digests = rulerTasks
          .filter(({ name }) => !name.includes('niah') && !name.includes('qa'))
          .map(({ name }) => digestOf(tasks.get(name)!));
        const own = digestOf(tasks.get(`ruler/${task}`)!, params);
        expect(own).to.match(/^[0-9a-f]{64}$/);
        expect(digests.filter((digest) => digest === own).length).to.equal(task.startsWith('qa') ? 0 : 1);
      });
    });
  }

  it('samples are pinned: where this fails on purpose, raise GENERATOR, so that no old result is reused', () => {
    const pinned = Object.entries(expected).map(([task, { lengths, params = {} }]) => {
      const prompt = promptOf(draw(task, { seed: 7, index: 1, contextLength: lengths[0]!, params }));
      return `${task} ${createHash('sha256').update(prompt).digest('hex').slice(0, 12)}`;
    });
    expect(pinned).to.deep.equal([
      'vt 3bbea462622d',
      'cwe 12e71c619039',
      'fwe 90c494354638',
      'qa_1 57d17cff8f82',
      'qa_2 bdb85be52fff',
    ]);
  });
});
