import { expect } from 'chai';
import { longbenchV2Tasks } from '../../../src/tasks/longbench-v2/task.js';
import {
  faultOf,
  folderOf,
  joined,
  opened,
  removeFolders,
  sampleOf,
  scored,
  taskNamed,
} from '../loader-support.js';

const task = taskNamed(longbenchV2Tasks, 'longbench-v2/choice');

const row = (fields: object = {}) => ({
  _id: '66f36490821e116aacb2cc22',
  domain: 'Single-Document QA',
  sub_domain: 'Literary',
  difficulty: 'easy',
  length: 'short',
  question: '  Who rang {it}? ',
  choice_A: 'Pip\n',
  choice_B: ' Marta',
  choice_C: '$& nobody',
  choice_D: 'all',
  answer: 'B',
  context: '\n A long text. \n',
  ...fields,
});

const at = (rows: readonly object[]) => folderOf({ 'data.json': JSON.stringify(rows, null, 2) });

describe('LongBench v2', () => {
  after(removeFolders);

  it('has the official zero-shot prompt, its fields stripped', () => {
    const sample = sampleOf(task, { folder: at([row()]) });
    expect(joined(sample)).to.equal(
      'Please read the following text and answer the question below.\n\n<text>\nA long text.\n</text>\n\nWhat is the correct answer to this question: Who rang {it}?\nChoices:\n(A) Pip\n(B) Marta\n(C) $& nobody\n(D) all\n\nFormat your response as follows: "The correct answer is (insert answer here)".',
    );
    expect(sample.context).to.match(/<\/text>$/);
    expect(sample.answerPrefix).to.equal('');
    expect(sample.answers).to.deep.equal(['B']);
    expect(sample.maxNewTokens).to.equal(148);
    const open = opened(task, { folder: at([row()]) });
    expect(scored(open, 'The correct answer is (B).', sample.answers)).to.equal(1);
  });

  it('chooses rows by difficulty and length, in the order of the file', () => {
    const folder = at([
      row({ question: '0' }),
      row({ question: '1', difficulty: 'hard' }),
      row({ question: '2', difficulty: 'hard', length: 'long' }),
      row({ question: '3', length: 'long' }),
    ]);
    const asked = (params: object, count: number) =>
      Array.from(
        { length: count },
        (_, index) => /question: (\d)/.exec(sampleOf(task, { folder, ...params }, index).question)?.[1],
      ).join('');
    expect(asked({}, 4)).to.equal('0123');
    expect(asked({ difficulty: 'hard' }, 2)).to.equal('12');
    expect(asked({ length: 'long' }, 2)).to.equal('23');
    expect(asked({ difficulty: 'easy', length: 'long' }, 1)).to.equal('3');
    expect(faultOf(() => asked({ length: 'long' }, 3))).to.match(
      /data\.json \(long\) .*found 2[^]*samples: 2/,
    );
    expect(faultOf(() => asked({ difficulty: 'hard', length: 'medium' }, 1))).to.include(
      '(hard, medium)  expected at least 1 sample, found 0',
    );
  });

  it('takes another limit of new tokens', () => {
    expect(sampleOf(task, { folder: at([row()]), max_new_tokens: 128 }).maxNewTokens).to.equal(128);
  });

  for (const [fields, message] of [
    [{ context: ' \n' }, 'context: expected a text that is not empty'],
    [{ choice_C: 3 }, 'choice_C: '],
    [{ answer: 'E' }, 'answer: '],
    [{ difficulty: 'trivial' }, 'difficulty: '],
    [{ length: 12 }, 'length: '],
  ] as const) {
    it(`refuses ${JSON.stringify(fields)} with file and line`, () => {
      const folder = at([row(), row(fields)]);
      expect(faultOf(() => sampleOf(task, { folder }, 1))).to.match(
        new RegExp(`data\\.json:16 {2}${message}`),
      );
      expect(faultOf(() => sampleOf(task, { folder, length: 'short' }))).to.include(
        `data.json:16  ${message}`,
      );
    });
  }

  it('names the command that fetches the file that is not there', () => {
    expect(faultOf(() => sampleOf(task, { folder: folderOf({}) }))).to.include(
      'spark-eval pull longbench-v2',
    );
  });
});
