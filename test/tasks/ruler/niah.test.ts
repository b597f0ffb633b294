import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import { tasks } from '../../../src/tasks/built-in.js';
import { isHeldOut } from '../../../src/tasks/held-out.js';
import { niahTasks, type NiahParams } from '../../../src/tasks/ruler/niah.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import { depthsOf, digestOf, drawn, opened, READ_FILES } from '../loader-support.js';

/** Stands in for a tokenizer: pieces of at most four letters, single digits and marks. */
const countTokens = (text: string) => text.match(/\s?[A-Za-z’]{1,4}|\s?[^A-Za-z’\s]|\s/gu)?.length ?? 0;

interface Asked {
  contextLength?: number;
  seed?: number;
  index?: number;
  params?: NiahParams;
}

function draw(task: string, { contextLength = 1024, seed = 42, index = 0, params = {} }: Asked = {}): Prompt {
  return drawn(
    opened(tasks.get(`ruler/${task}`)!, params, { contextLength, seed, countTokens, files: READ_FILES }),
    index,
  );
}

const tokensOf = ({ context, question, answerPrefix, maxNewTokens }: Prompt) =>
  countTokens(`${context}${question} ${answerPrefix}`) + maxNewTokens;
const occurrences = (text: string, part: string) => text.split(part).length - 1;

const NUMBER = /^[1-9]\d{6}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const WORD = /^[A-Za-z].*-.+$/;

/** Needles in the text (undefined: as many as fit), answers, and what keys and values look like. */
const expected: Record<
  string,
  { needles?: number; answers: number; key: RegExp; value: RegExp; joint: string }
> = {
  niah_single_1: { needles: 1, answers: 1, key: WORD, value: NUMBER, joint: '\n' },
  niah_single_2: { needles: 1, answers: 1, key: WORD, value: NUMBER, joint: ' ' },
  niah_single_3: { needles: 1, answers: 1, key: WORD, value: UUID, joint: ' ' },
  niah_multikey_1: { needles: 4, answers: 1, key: WORD, value: NUMBER, joint: ' ' },
  niah_multikey_2: { answers: 1, key: WORD, value: NUMBER, joint: '\n' },
  niah_multikey_3: { answers: 1, key: UUID, value: UUID, joint: '\n' },
  niah_multivalue: { needles: 4, answers: 4, key: WORD, value: NUMBER, joint: ' ' },
  niah_multiquery: { needles: 4, answers: 4, key: WORD, value: NUMBER, joint: ' ' },
};

describe('niah', () => {
  it('there are eight tasks, and each says what it is', () => {
    expect(niahTasks.map((task) => task.name)).to.deep.equal(
      Object.keys(expected).map((name) => `ruler/${name}`),
    );
    expect(niahTasks[0]!.summary).to.equal('1 number to recall, 1 word key hidden in repeated noise');
    expect(niahTasks[7]!.summary).to.equal('4 numbers to recall, 4 word keys hidden in an essay');
  });

  for (const [task, { needles, answers, key, value, joint }] of Object.entries(expected)) {
    describe(task, () => {
      for (const contextLength of [800, 1024, 4096]) {
        it(`fills ${contextLength} tokens as far as whole units go`, () => {
          for (const index of [0, 1, 2]) {
            const total = tokensOf(draw(task, { contextLength, index }));
            expect(total).to.be.at.most(contextLength);
            // One unit: a noise sentence has 26 of these tokens, a needle at most 100, a word at most 8.
            expect(total).to.be.above(contextLength - (joint === ' ' ? 8 : 100));
          }
        });
      }

      it('hides its needles once each, asks for keys that are there, and answers with all their values', () => {
        for (let index = 0; index < 5; index++) {
          const { context, question, answerPrefix, answers: found } = draw(task, { index });
          const pairs = [
            ...context.matchAll(/One of the special magic (numbers|uuids) for (.+?) is: (\S+?)\./g),
          ];
          if (needles === undefined) expect(pairs.length).to.be.above(4);
          else expect(pairs).to.have.length(needles);
          for (const [, , k, v] of pairs) {
            expect(k).to.match(key);
            expect(v).to.match(value);
            expect(isHeldOut(k!), k).to.be.true;
            expect(isHeldOut(v!), v).to.be.true;
          }
          const query = /special magic \w+ for (.+) mentioned in/.exec(question)![1]!;
          const keys = query.split(/, and |, /);
          expect(new Set(keys).size).to.equal(keys.length);
          const wanted = keys.flatMap((k) => pairs.filter((pair) => pair[2] === k).map((pair) => pair[3]!));
          expect([...found].sort()).to.deep.equal(wanted.sort());
          expect(found).to.have.length(answers);
          expect(answerPrefix).to.contain(` for ${query} mentioned`);
          for (const answer of found) {
            expect(occurrences(context, answer)).to.equal(1);
            expect(question + answerPrefix).to.not.contain(answer);
          }
        }
      });

      it('is the same for the same request, and another for another seed, index or length', () => {
        const sample = draw(task);
        expect(draw(task)).to.deep.equal(sample);
        for (const other of [{ seed: 43 }, { index: 1 }, { contextLength: 1030 }]) {
          expect(draw(task, other).answers).to.not.deep.equal(sample.answers);
        }
      });

      it('names a length that works where the given one is too short', () => {
        let message = '';
        try {
          draw(task, { contextLength: 150, index: 3 });
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          message = error.message;
        }
        const works = Number(/sample 3 fits into (\d+)$/.exec(message)![1]);
        const at = (contextLength: number) => draw(task, { contextLength, index: 3 });
        expect(tokensOf(at(works))).to.be.at.most(works);
        // Another length draws another sample, a few tokens longer or shorter.
        expect(() => at(works - 80)).to.throw(UserError);
      });
    });
  }

  it('prompts are singular for one answer, plural for more, to the letter', () => {
    const one = draw('niah_single_1');
    const key = /for (.+) mentioned/.exec(one.question)![1]!;
    expect(one.context.split('\n')[0]).to.equal(
      'A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you about the number afterwards.',
    );
    expect(one.context.split('\n')).to.include(
      `One of the special magic numbers for ${key} is: ${one.answers[0]!}.`,
    );
    expect(one.question).to.equal(
      `\nWhat is the special magic number for ${key} mentioned in the provided text?`,
    );
    expect(one.answerPrefix).to.equal(
      `The special magic number for ${key} mentioned in the provided text is`,
    );
    expect(draw('niah_multikey_3').context).to.match(
      /^A special magic uuid is hidden .* about the uuid afterwards\.\n/,
    );

    const many = draw('niah_multiquery');
    expect(many.context).to.match(
      /^Some special magic numbers are hidden within the following text\. Make sure to memorize it\. I will quiz you about the numbers afterwards\.\n/,
    );
    expect(many.question).to.match(
      /^\nWhat are all the special magic numbers for .+, .+, .+, and .+ mentioned in the provided text\?$/,
    );
    expect(many.answerPrefix).to.match(
      /^The special magic numbers for .+ mentioned in the provided text are$/,
    );
    expect(many.maxNewTokens).to.equal(128);
  });

  it('samples are pinned: where this fails on purpose, raise GENERATOR, so that no old result is reused', () => {
    const digest = createHash('sha256');
    for (const name of Object.keys(expected))
      digest.update(JSON.stringify(draw(name, { seed: 7, index: 3 })));
    expect(digest.digest('hex')).to.equal('e901d37701394e94bd34749f3ace2b1837553cef2274f9ded45902aa548c5d7c');
  });

  it('the noise haystack is nothing but the noise sentence and the needle', () => {
    const lines = draw('niah_single_1').context.split('\n').slice(1);
    const others = lines.filter((line) => !line.startsWith('One of the special'));
    expect(others.length).to.equal(lines.length - 1);
    expect(new Set(others)).to.deep.equal(
      new Set(['The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.']),
    );
  });

  it('the largest haystack: one more noise sentence does not fit', () => {
    const sample = draw('niah_single_1', { contextLength: 2000 });
    const noise = sample.context.split('\n').at(-1)!;
    expect(tokensOf({ ...sample, context: `${sample.context}\n${noise}` })).to.be.above(2000);
  });

  it('needles stand at all depths', () => {
    const depths = Array.from({ length: 40 }, (_, index) => {
      const { context, answers } = draw('niah_single_1', { contextLength: 1500, index });
      return context.indexOf(answers[0]!) / context.length;
    });
    for (const quarter of [0, 1, 2, 3]) {
      expect(depths.filter((depth) => Math.floor(depth * 4) === quarter).length).to.be.above(2);
    }
  });

  it('knows where each needle stands', () => {
    for (const name of Object.keys(expected)) {
      const open = opened(tasks.get(`ruler/${name}`)!, {}, { contextLength: 2048, countTokens });
      const { context } = drawn(open);
      const depths = depthsOf(open);
      const needles = expected[name]!.needles;
      expect(depths.length, name).to.equal(needles ?? 1);
      expect([...depths].sort((a, b) => a - b)).to.deep.equal(depths);
      if (needles !== 1) continue;
      const at = context.indexOf('One of the special') / context.length;
      expect(100 * at, name).to.be.closeTo(depths[0]!, 8);
    }
  });

  it('between sentences as published, or at word borders, which lie at all depths of short texts', () => {
    const depths = (placement?: string) => {
      const context = { contextLength: 512, countTokens, files: READ_FILES };
      const open = opened(tasks.get('ruler/niah_single_2')!, { placement }, context);
      return Array.from({ length: 40 }, (_, index) => depthsOf(open, index)[0]!);
    };
    const inFirstFifth = (some: number[]) => some.filter((depth) => depth < 20).length;
    const border = depths('border');
    expect(inFirstFifth(border)).to.be.within(3, 14);
    expect(Math.max(...border)).to.be.above(90);
    expect(depths('sentence')).to.deep.equal(depths());
    expect(depths()).to.not.deep.equal(border);
  });

  it('counts tokens only a few times', () => {
    for (const task of Object.keys(expected)) {
      let calls = 0;
      const counting = (text: string) => {
        calls++;
        return countTokens(text);
      };
      const context = { contextLength: 4096, seed: 1, countTokens: counting };
      drawn(opened(tasks.get(`ruler/${task}`)!, {}, context));
      expect(calls, task).to.be.at.most(12);
    }
  });

  describe('an essay of the user', () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'essay-'));
    });
    after(() => {
      rmSync(folder, { recursive: true });
    });

    const write = (name: string, text: string | Uint8Array) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    };

    it('is read in its order, repeated where it is too short, and part of the digest', () => {
      const essay = write('short.txt', 'Alpha beta  gamma.\n\nDelta “epsilon.” Zeta eta?');
      const { context } = draw('niah_single_2', { params: { essay } });
      const text = context
        .slice(context.indexOf('\n') + 1)
        .replace(/One of the special magic numbers for .+? is: \d+\. ?/, '');
      expect(text).to.match(/^(Alpha beta gamma\. Delta “epsilon\.” Zeta eta\? ){10}/);
      const task = tasks.get('ruler/niah_single_2')!;
      expect(digestOf(task, { essay })).to.not.equal(digestOf(task));
      expect(digestOf(task)).to.match(/^[0-9a-f]{64}$/);
    });

    it('may have no spaces between its words', () => {
      const essay = write('chinese.txt', '山高水长，人来人往。春天的花开了，秋天的叶落了。'.repeat(60));
      for (const placement of ['sentence', 'border']) {
        const open = opened(
          tasks.get('ruler/niah_single_2')!,
          { essay, placement },
          { contextLength: 1024, countTokens },
        );
        const depths = Array.from({ length: 30 }, (_, index) => depthsOf(open, index)[0]!);
        for (const half of [0, 1]) {
          expect(depths.filter((depth) => Math.floor(depth / 50) === half).length).to.be.above(5);
        }
        expect(tokensOf(drawn(open))).to.be.within(1010, 1024);
      }
    });

    it('needles go between its sentences', () => {
      const essay = write('sentences.txt', 'One two three four five. Six seven eight nine ten! ');
      const { context } = draw('niah_multikey_1', { params: { essay }, index: 2 });
      const text = context.slice(context.indexOf('\n') + 1);
      for (const { index } of text.matchAll(/One of the special/g)) {
        if (index > 0) expect(text.slice(0, index)).to.match(/[.!] $/);
      }
    });

    for (const [what, make, complaint] of [
      ['missing', () => join(folder, 'none.txt'), /cannot read/],
      ['empty', () => write('empty.txt', ' \n'), /at least one word/],
      ['not text', () => write('binary.txt', Uint8Array.of(0xff, 0xfe, 0x80)), /UTF-8/],
    ] as const) {
      it(`is an error where it is ${what}`, () => {
        expect(() => draw('niah_single_2', { params: { essay: make() } })).to.throw(UserError, complaint);
      });
    }

    it('is a parameter of essay tasks only', () => {
      expect(tasks.get('ruler/niah_single_2')!.params.safeParse({ essay: 'x' }).success).to.be.true;
      expect(tasks.get('ruler/niah_single_1')!.params.safeParse({ essay: 'x' }).success).to.be.false;
    });
  });
});
