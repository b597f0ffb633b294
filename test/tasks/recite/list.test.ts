import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import { isHeldOut } from '../../../src/tasks/held-out.js';
import type { ReciteParams } from '../../../src/tasks/recite/list.js';
import { tasks } from '../../../src/tasks/built-in.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import { depthsOf, digestOf, drawn, opened, READ_FILES, scored } from '../loader-support.js';

/** Stands in for a tokenizer: pieces of at most four letters, single digits and marks. */
const countTokens = (text: string) => text.match(/\s?[A-Za-z’]{1,4}|\s?[^A-Za-z’\s]|\s/gu)?.length ?? 0;

interface Asked {
  contextLength?: number;
  seed?: number;
  index?: number;
  params?: ReciteParams;
  count?: (text: string) => number;
}

const task = tasks.get('recite/list')!;

function draw(asked: Asked = {}): Prompt {
  const { contextLength = 2048, seed = 42, index = 0, params = {}, count = countTokens } = asked;
  return drawn(opened(task, params, { contextLength, seed, countTokens: count, files: READ_FILES }), index);
}

const tokensOf = ({ context, question, answerPrefix, maxNewTokens }: Prompt) =>
  countTokens(`${context}${question}\n${answerPrefix}`) + maxNewTokens;

/** Text before the list, its lines, text after it. */
function parts(context: string): { before: string; lines: string[]; after: string } {
  const form =
    /^A list .+ afterwards\.\n(.*)\nList of special magic numbers:\n((?:- .+\n)+)End of the list\.\n(.*)$/u;
  const [, before, lines, after] = form.exec(context)!;
  return { before: before!, lines: lines!.trimEnd().split('\n'), after: after! };
}

const rightAnswer = (lines: readonly string[]) => `\n${lines.join('\n')}\nEnd of the list.`;

describe('recite/list', () => {
  it('prompts are what the embedded model learned, to the letter', () => {
    const { context, question, answerPrefix } = draw();
    expect(context.split('\n')[0]).to.equal(
      'A list of special magic numbers is hidden within the following text. Make sure to memorize it. I will ask you to repeat the list afterwards.',
    );
    expect(question).to.equal(
      '\nWhat is the list of special magic numbers mentioned in the provided text? Repeat every line of it in the same order.',
    );
    expect(answerPrefix).to.equal('The list of special magic numbers mentioned in the provided text is:');
  });

  it('holds one list of held-out words and numbers, and answers with its numbers in order', () => {
    for (let index = 0; index < 8; index++) {
      const { context, answers, question, answerPrefix } = draw({ index });
      const { lines } = parts(context);
      expect(context.split('List of special magic numbers:')).to.have.length(2);
      expect(lines).to.have.length(24);
      const pairs = lines.map((line) => /^- (.+-.+): ([1-9]\d{6})$/u.exec(line)!);
      for (const [, key, number] of pairs) {
        expect(isHeldOut(key!), key).to.equal(true);
        expect(isHeldOut(number!), number).to.equal(true);
        expect(context.split(number!)).to.have.length(2);
        expect(question + answerPrefix).to.not.contain(number);
      }
      expect(new Set(pairs.map(([, key]) => key)).size).to.equal(24);
      expect(answers).to.deep.equal(pairs.map(([, , number]) => number));
      expect(scored(opened(task), rightAnswer(lines), answers)).to.equal(1);
    }
  });

  for (const contextLength of [1500, 2048, 8192]) {
    it(`fills ${contextLength} tokens to the word, the tokens to generate included`, () => {
      for (const index of [0, 1, 2]) {
        const sample = draw({ contextLength, index });
        const total = tokensOf(sample);
        expect(total).to.be.at.most(contextLength);
        expect(total).to.be.above(contextLength - 8);
        const answer = countTokens(rightAnswer(parts(sample.context).lines));
        expect(sample.maxNewTokens).to.be.within(answer + 1, answer + 50);
      }
    });
  }

  it('has as many lines as asked for, or where nothing is asked as many as fit', () => {
    expect(draw({ params: { lines: 3 } }).answers).to.have.length(3);
    expect(draw({ params: { lines: 100 }, contextLength: 8192 }).answers).to.have.length(100);
    const short = draw({ contextLength: 800 });
    expect(short.answers.length).to.be.within(5, 20);
    expect(tokensOf(short)).to.be.within(800 - 60, 800);
    expect(() => draw({ contextLength: 800, params: { lines: 24 } })).to.throw(UserError, /too short/);
  });

  it('the list stands at all depths, both ends included, between sentences', () => {
    const depths = Array.from({ length: 120 }, (_, index) => {
      const { before, after } = parts(draw({ index }).context);
      if (before !== '' && after !== '') expect(before).to.match(/[.!?]["'”’]?$/u);
      return before.length / (before.length + after.length);
    });
    for (const quarter of [0, 1, 2, 3]) {
      expect(depths.filter((depth) => Math.min(3, Math.floor(depth * 4)) === quarter).length).to.be.above(12);
    }
    expect(Math.min(...depths)).to.equal(0);
    expect(Math.max(...depths)).to.equal(1);
  });

  it('is the same for the same request, and another for another seed, index or length', () => {
    expect(draw()).to.deep.equal(draw());
    for (const other of [{ seed: 43 }, { index: 1 }, { contextLength: 2050 }]) {
      expect(draw(other).answers).to.not.deep.equal(draw().answers);
    }
  });

  it('may stand at the border of a word, where an essay has few sentences, and knows where', () => {
    const folder = mkdtempSync(join(tmpdir(), 'essay-'));
    const essay = join(folder, 'essay.txt');
    for (const text of ['the sea and the ship '.repeat(900), '山高水长人来人往'.repeat(300)]) {
      writeFileSync(essay, text);
      const open = opened(task, { essay, placement: 'border' }, { contextLength: 2048, countTokens });
      const depths = Array.from({ length: 40 }, (_, index) => depthsOf(open, index)[0]!);
      for (const quarter of [0, 1, 2, 3]) {
        expect(depths.filter((depth) => Math.min(3, Math.floor(depth / 25)) === quarter).length).to.be.above(
          3,
        );
      }
      expect(tokensOf(drawn(open))).to.be.within(2030, 2048);
    }
    rmSync(folder, { recursive: true });
  });

  it('samples are pinned: where this fails on purpose, raise GENERATOR, so that no old result is reused', () => {
    const samples = [draw({ seed: 7, index: 3 }), draw({ seed: 7, contextLength: 700 })];
    const digest = createHash('sha256').update(JSON.stringify(samples)).digest('hex');
    expect(digest).to.equal('f1b3ed2258c411befb0c0a931718328a9acaf4ef300f1b6e2f908f94730e8a02');
  });

  it('names a length that works where the given one is too short', () => {
    for (const params of [{}, { lines: 30 }]) {
      let message = '';
      try {
        draw({ contextLength: 150, index: 3, params });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        message = error.message;
      }
      const works = Number(/sample 3 fits into (\d+)$/u.exec(message)![1]);
      expect(tokensOf(draw({ contextLength: works, index: 3, params }))).to.be.at.most(works);
      // Another length draws another sample, a few tokens longer or shorter.
      const margin = 80 + (params.lines ?? 4) * 4;
      expect(() => draw({ contextLength: works - margin, index: 3, params })).to.throw(UserError);
    }
  });

  it('counts tokens only a few times', () => {
    let calls = 0;
    const count = (text: string) => {
      calls++;
      return countTokens(text);
    };
    draw({ contextLength: 8192, count });
    expect(calls).to.be.at.most(24);
  });

  it('reads an essay of the user, which is part of the digest', () => {
    const folder = mkdtempSync(join(tmpdir(), 'essay-'));
    try {
      const essay = join(folder, 'short.txt');
      writeFileSync(essay, 'Alpha beta gamma. Delta epsilon.');
      const { before, after } = parts(draw({ params: { essay }, index: 1 }).context);
      expect(`${before} ${after}`.trim()).to.match(/^(Alpha beta gamma\. Delta epsilon\. ?)+/u);
      expect(digestOf(task, { essay })).to.not.equal(digestOf(task));
      expect(digestOf(task)).to.match(/^[0-9a-f]{64}$/u);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes 1 to 1000 lines', () => {
    for (const [lines, good] of [
      [1, true],
      [1000, true],
      [0, false],
      [1001, false],
      [2.5, false],
    ] as const) {
      expect(task.params.safeParse({ lines }).success, String(lines)).to.equal(good);
    }
  });
});
