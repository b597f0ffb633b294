import { expect } from 'chai';
import { UserError } from '../../../src/errors.js';
import { fnv1a, isHeldOut } from '../../../src/tasks/held-out.js';
import { tasks } from '../../../src/tasks/registry.js';
import { largestFitting } from '../../../src/tasks/ruler/fit.js';
import { fractionFound } from '../../../src/tasks/ruler/score.js';
import type { Sample } from '../../../src/tasks/types.js';

/** Words, digits and punctuation marks each count one. */
const countTokens = (text: string): number => text.match(/[A-Za-z]+|\d|[^\sA-Za-z\d]/g)?.length ?? 0;

function draw(name: string, contextLength = 1024, index = 0, seed = 42): Sample {
  return tasks.get(`ruler/${name}`)!.sample({ contextLength, seed, index, params: {}, countTokens });
}

const prompt = (sample: Sample): string => `${sample.context}${sample.question} ${sample.answerPrefix}`;
const occurrences = (text: string, part: string): number => text.split(part).length - 1;

interface Shape {
  readonly needles: number;
  readonly answers: number;
  readonly value: RegExp;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const number = /^[1-9]\d{6}$/;
/** needles 0: the haystack itself is made of them. */
const SHAPES: Readonly<Record<string, Shape>> = {
  niah_single_1: { needles: 1, answers: 1, value: number },
  niah_single_2: { needles: 1, answers: 1, value: number },
  niah_single_3: { needles: 1, answers: 1, value: uuid },
  niah_multikey_1: { needles: 4, answers: 1, value: number },
  niah_multikey_2: { needles: 0, answers: 1, value: number },
  niah_multikey_3: { needles: 0, answers: 1, value: uuid },
  niah_multivalue: { needles: 4, answers: 4, value: number },
  niah_multiquery: { needles: 4, answers: 4, value: number },
};

describe('RULER needle tasks', () => {
  it('are the eight of the paper', () => {
    expect([...tasks.keys()]).to.have.members(Object.keys(SHAPES).map((name) => `ruler/${name}`));
  });

  for (const [name, { needles, answers, value }] of Object.entries(SHAPES)) {
    describe(name, () => {
      it('fills the context and never more than it', () => {
        for (const length of [1024, 2048]) {
          for (const index of [0, 1, 2]) {
            const tokens = countTokens(prompt(draw(name, length, index))) + 128;
            expect(tokens).to.be.at.most(length);
            expect(tokens).to.be.above(length - 120);
          }
        }
      });

      it('hides the needles, and each answer exactly once', () => {
        const sample = draw(name);
        const count = occurrences(sample.context, 'One of the special magic ');
        if (needles > 0) expect(count).to.equal(needles);
        else expect(count).to.be.at.least(8);
        expect(sample.answers).to.have.length(answers);
        for (const answer of sample.answers) {
          expect(answer).to.match(value);
          expect(occurrences(prompt(sample), answer)).to.equal(1);
        }
      });

      it('asks for the keys of the answers', () => {
        const sample = draw(name);
        for (const answer of sample.answers) {
          const key = new RegExp(`for (\\S+) is: ${answer}\\.`).exec(sample.context)![1]!;
          expect(sample.question).to.contain(key);
          expect(sample.answerPrefix).to.contain(key);
          expect(isHeldOut(key), key).to.equal(true);
          expect(isHeldOut(answer), answer).to.equal(true);
        }
      });

      it('is a pure function of its request', () => {
        expect(draw(name)).to.deep.equal(draw(name));
        const others = [draw(name, 1024, 1), draw(name, 1024, 0, 43), draw(name, 1030)];
        for (const other of others) expect(other.answers).to.not.deep.equal(draw(name).answers);
      });

      it('says the least length that works', () => {
        try {
          draw(name, 150);
          expect.fail('150 tokens cannot be enough');
        } catch (error) {
          expect(error).to.be.instanceOf(UserError);
          const least = Number(/least that works is (\d+)/.exec((error as Error).message)![1]);
          expect(least).to.be.above(150);
          expect(() => draw(name, least + 30)).to.not.throw();
        }
      });
    });
  }

  it('writes one answer in the singular and several in the plural', () => {
    const one = draw('niah_single_1');
    expect(one.context).to.match(/^A special magic number is hidden within the following text\./);
    expect(one.question).to.match(
      /^\nWhat is the special magic number for \S+ mentioned in the provided text\?$/,
    );
    expect(one.answerPrefix).to.match(/^The special magic number for \S+ mentioned in the provided text is$/);
    const four = draw('niah_multiquery');
    expect(four.context).to.match(/^Some special magic numbers are hidden within the following text\./);
    expect(four.question).to.match(
      /^\nWhat are all the special magic numbers for \S+, \S+, \S+, and \S+ mentioned/,
    );
    expect(four.answerPrefix).to.match(/mentioned in the provided text are$/);
    expect(four.context).to.contain('One of the special magic numbers for ');
  });
});

describe('the largest fitting count', () => {
  it('is found for any growing cost', () => {
    for (const cost of [
      (n: number) => 3 * n + 7,
      (n: number) => Math.floor(n ** 1.2),
      (n: number) => 50 + (n >> 3),
    ]) {
      for (const limit of [60, 100, 1000]) {
        const count = largestFitting(cost, { least: 1, stride: 25, limit })!;
        expect(cost(count)).to.be.at.most(limit);
        expect(cost(count + 1)).to.be.above(limit);
      }
    }
    expect(largestFitting(() => 11, { least: 1, stride: 5, limit: 10 })).to.equal(undefined);
  });
});

describe('the held-out rule', () => {
  it('is FNV-1a of the UTF-8 bytes', () => {
    expect(fnv1a('')).to.equal(0x811c9dc5);
    expect(fnv1a('a')).to.equal(0xe40c292c);
    expect(fnv1a('foobar')).to.equal(0xbf9cf968);
  });
});

describe('the RULER score', () => {
  it('is the share of answers that occur, whatever their case', () => {
    expect(fractionFound('They are 12 and ABC.', ['12', 'abc', '99'])).to.be.closeTo(2 / 3, 1e-12);
    expect(fractionFound('', ['1'])).to.equal(0);
    expect(fractionFound('1234567', ['1234567'])).to.equal(1);
  });

  it('deletes control characters before it looks', () => {
    expect(fractionFound('12\n34', ['1234'])).to.equal(1);
    expect(fractionFound('\t12 34 ', ['1234'])).to.equal(0);
  });
});
