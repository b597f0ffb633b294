import { join } from 'node:path';
import { expect } from 'chai';
import { isHeldOut } from '../../../src/tasks/held-out.js';
import { needleTasks } from '../../../src/tasks/needle/list.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import type { Task } from '../../../src/tasks/types.js';
import {
  digestOf,
  depthsOf,
  drawn,
  faultOf,
  folderOf,
  opened,
  removeFolders,
  sampleOf,
  scored,
  taskNamed,
} from '../loader-support.js';

const tasks = needleTasks as readonly Task[];
const map = taskNamed(tasks, 'needle/map');
const sandwich = taskNamed(tasks, 'needle/sandwich');

/** Where a needle stands, in per cent of the text's characters without the needles. */
function depthOf({ context }: Prompt, needle: RegExp): number {
  const start = context.search(needle);
  const text = context.replace(new RegExp(needle, 'g'), '');
  expect(start, 'the needle is there').to.be.at.least(0);
  return (100 * start) / text.length;
}
const tokensOf = ({ context, question, answerPrefix, maxNewTokens }: Prompt) =>
  Math.ceil(`${context}${question} ${answerPrefix}`.length / 4) + maxNewTokens;

const NUMBER = /One of the special magic numbers for \S+ is: \d+\./;
const SANDWICH = /The best thing to do in San Francisco is [^.]*\./;

describe('needle/map', () => {
  after(removeFolders);

  for (const haystack of ['essay', 'noise']) {
    for (const depth of [0, 25, 50, 75, 100]) {
      it(`${haystack}: the needle stands at ${depth} per cent`, () => {
        for (const index of [0, 1, 2]) {
          const sample = sampleOf(map, { depth, haystack }, index);
          expect(depthOf(sample, NUMBER)).to.be.closeTo(depth, 4);
          expect(tokensOf(sample)).to.be.within(3950, 4096);
        }
      });
    }
  }

  it('asks for the number that is hidden, once, with the words of RULER', () => {
    const { context, question, answerPrefix, answers, maxNewTokens } = sampleOf(map, {});
    const [, key, number] = /magic numbers for (\S+) is: (\d+)\./.exec(context)!;
    expect(answers).to.deep.equal([number]);
    expect(context.split(number!)).to.have.length(2);
    expect(context).to.match(/^A special magic number is hidden within the following text\./);
    expect(question).to.equal(
      `\nWhat is the special magic number for ${key!} mentioned in the provided text?`,
    );
    expect(answerPrefix).to.equal(`The special magic number for ${key!} mentioned in the provided text is`);
    expect(maxNewTokens).to.equal(128);
    expect(isHeldOut(key!) && isHeldOut(number!)).to.equal(true);
  });

  it('is the same draw at every depth, another one for every sample and seed', () => {
    const draw = (depth: number, index: number) => sampleOf(map, { depth }, index);
    const without = (sample: Prompt) => sample.context.replace(NUMBER, '').replace(/\s+/g, '');
    expect(draw(0, 0).answers).to.deep.equal(draw(70, 0).answers);
    expect(without(draw(0, 0)).slice(0, 3000)).to.equal(without(draw(70, 0)).slice(0, 3000));
    expect(draw(0, 0)).to.deep.equal(draw(0, 0));
    expect(draw(0, 0).answers).to.not.deep.equal(draw(0, 1).answers);
    expect(without(draw(0, 0))).to.not.equal(without(draw(0, 1)));
  });

  it('hides several numbers behind the depth and asks for all', () => {
    const sample = sampleOf(map, { depth: 40, needles: 3 });
    const found = [...sample.context.matchAll(/magic numbers for \S+ is: (\d+)\./g)];
    expect(found.map(([, number]) => number)).to.deep.equal(sample.answers);
    const places = found.map(({ index }) => (100 * index) / sample.context.length);
    for (const [i, depth] of [40, 60, 80].entries()) expect(places[i]).to.be.closeTo(depth, 5);
    expect(sample.question).to.match(
      /^\nWhat are all the special magic numbers for \S+, \S+, and \S+ mentioned/,
    );
    const two = `${sample.answers[0]!} and ${sample.answers[2]!}`;
    expect(scored(opened(map), two, sample.answers)).to.be.closeTo(2 / 3, 1e-12);
  });

  it('takes another essay, which is part of the digest', () => {
    const essay = join(folderOf({ 'essay.txt': 'Rain fell on the roof. '.repeat(50) }), 'essay.txt');
    expect(sampleOf(map, { essay }).context).to.include('Rain fell on the roof.');
    const digest = (params: object) => digestOf(map, params);
    expect(digest({})).to.match(/^[0-9a-f]{64}$/);
    expect(digest({ essay })).to.not.equal(digest({}));
    expect(digest({ haystack: 'noise' })).to.not.equal(digest({}));
  });

  const NOPUNCT =
    'the sea and the ship and the sailor went over the wide water to see what was there '.repeat(300);
  const CHINESE = '山高水长，人来人往。春天的花开了，秋天的叶落了。'.repeat(200);
  for (const [what, text] of [
    ['without sentences', NOPUNCT],
    ['of one long sentence and many short ones', `${NOPUNCT}. ${'It is. '.repeat(9000)}`],
    ['of Chinese', CHINESE],
    ['of Japanese, with quotes', 'それは「山」だ。「川です。」と言った。'.repeat(200)],
    ['of Hindi', 'यह एक वाक्य है। यह दूसरा वाक्य है। '.repeat(300)],
    ['of lines without stops', 'one line of words\nand another line\n'.repeat(400)],
  ] as const) {
    it(`stands at its depth in an essay ${what}`, () => {
      const essay = join(folderOf({ 'essay.txt': text }), 'essay.txt');
      for (const depth of [0, 25, 50, 75, 100]) {
        for (const task of [map, sandwich]) {
          const open = opened(task, { essay, depth }, { contextLength: 2048 });
          const sample = drawn(open);
          const needle = task === map ? NUMBER : SANDWICH;
          expect(depthOf(sample, needle), `${task.name} ${depth}`).to.be.closeTo(depth, 6);
          expect(depthsOf(open)[0], `${task.name} ${depth}`).to.be.closeTo(depth, 2.1);
          expect(tokensOf(sample)).to.be.within(1960, 2048);
        }
      }
    });
  }

  it('breaks a line of noise where a short text has no line border near the depth', () => {
    for (const depth of [0, 10, 25, 50, 75, 90, 100]) {
      const open = opened(map, { depth, haystack: 'noise' }, { contextLength: 400 });
      expect(depthsOf(open)[0]).to.be.closeTo(depth, 2.1);
    }
  });

  it('says a length that works', () => {
    const fault = faultOf(() => sampleOf(map, {}, 0, 100));
    expect(fault).to.match(
      /^needle\/map: a context of 100 tokens is too short; with this tokenizer sample 0 fits into \d+/,
    );
    expect(sampleOf(map, {}, 0, Number(/fits into (\d+)/.exec(fault)![1])).answers).to.have.length(1);
  });

  for (const params of [
    { depth: -1 },
    { depth: 101 },
    { needles: 0 },
    { haystack: 'straw' },
    { haystack: 'noise', essay: 'x.txt' },
    { dept: 1 },
  ]) {
    it(`refuses ${JSON.stringify(params)}`, () => {
      expect(map.params.safeParse(params).success).to.equal(false);
    });
  }
});

describe('needle/sandwich', () => {
  for (const depth of [0, 50, 100]) {
    it(`hides the needle of the test at ${depth} per cent of an essay`, () => {
      const sample = sampleOf(sandwich, { depth }, depth);
      expect(depthOf(sample, SANDWICH)).to.be.closeTo(depth, 2);
      expect(sample.context).to.match(/^This is a very long story book: <book> [^]* <\/book>\.$/);
      expect(sample.question).to.equal(
        '\n Based on the content of the book, Question: What is the best thing to do in San Francisco?\n',
      );
      expect(tokensOf(sample)).to.be.within(4000, 4096);
    });
  }

  it('is another passage for every sample', () => {
    expect(sampleOf(sandwich, {}, 0).context).to.not.equal(sampleOf(sandwich, {}, 1).context);
  });

  it('scores the fraction of its three facts', () => {
    const { answers } = sampleOf(sandwich, {});
    const score = (prediction: string) => scored(opened(sandwich), prediction, answers);
    expect(score('Eat a Sandwich and sit in dolores park on a sunny day.')).to.equal(1);
    expect(score('Sit in Dolores Park.')).to.be.closeTo(1 / 3, 1e-12);
    expect(score('Visit the bridge.')).to.equal(0);
  });
});
