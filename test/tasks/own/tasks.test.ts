import { join } from 'node:path';
import { expect } from 'chai';
import { ownTasks } from '../../../src/tasks/own/list.js';
import {
  digestOf,
  faultOf,
  folderOf,
  jsonLines,
  opened,
  removeFolders,
  sampleOf,
  scored,
  taskNamed,
} from '../loader-support.js';

const ROW = { context: 'A bell rings.', question: 'What rings?', answers: ['a bell', 'the bell'] };

const fileOf = (content: string | readonly unknown[]): string =>
  join(folderOf({ 'my.jsonl': content }), 'my.jsonl');
const task = (scorer: string) => taskNamed(ownTasks, `own/${scorer}`);

const score = (scorer: string, prediction: string, answers: string[], classes = answers): number => {
  const file = fileOf([{ ...ROW, answers, classes }]);
  return scored(opened(task(scorer), { file }), prediction, answers, { classes });
};

describe('data of the user', () => {
  afterEach(removeFolders);

  it('is one sample a row', () => {
    const file = fileOf([
      ROW,
      { ...ROW, id: 7, question: ' Who?', answer_prefix: 'It is', max_new_tokens: 5, classes: ['a', 'b'] },
      { context: 'Only a text.', answers: ['x'] },
    ]);
    expect(sampleOf(task('f1'), { file })).to.deep.equal({
      context: 'A bell rings.',
      question: '\nWhat rings?',
      answerPrefix: '',
      answers: ['a bell', 'the bell'],
      maxNewTokens: 64,
    });
    expect(sampleOf(task('f1'), { file, max_new_tokens: 9 }, 1)).to.deep.equal({
      context: 'A bell rings.',
      question: ' Who?',
      answerPrefix: 'It is',
      answers: ['a bell', 'the bell'],
      maxNewTokens: 5,
      classes: ['a', 'b'],
    });
    expect(sampleOf(task('f1'), { file, max_new_tokens: 9 }, 2)).to.include({
      question: '',
      maxNewTokens: 9,
    });
  });

  it('may be one JSON array', () => {
    const file = fileOf(JSON.stringify([ROW, { ...ROW, context: 'Two.' }], undefined, 2));
    expect(sampleOf(task('exact'), { file }, 1).context).to.equal('Two.');
  });

  it('is scored as the spec says', () => {
    expect(score('exact', ' the bell\n', ['a bell', 'the bell'])).to.equal(1);
    expect(score('exact', 'The bell', ['the bell'])).to.equal(0);
    expect(score('f1', 'a big bell', ['the bell'])).to.be.closeTo(2 / 3, 1e-12);
    expect(score('rouge_l', 'one two', ['x', 'one two'])).to.be.closeTo(1, 1e-8);
    expect(score('contains_all', 'one, three', ['one', 'two'])).to.equal(0.5);
    expect(score('contains_any', 'one, three', ['one', 'two'])).to.equal(1);
    expect(score('count', 'It is 7 or 8', ['7'])).to.equal(0.5);
    expect(score('code_similarity', '\nx = 1', ['x = 1'])).to.equal(1);
    expect(score('classification', 'b', ['b'], ['a', 'b'])).to.equal(1);
  });

  for (const [prediction, answer, expected] of [
    ['A', 'A', 1],
    ['a.', 'A', 1],
    ['B', 'A', 0],
    ['The', 'The', 1],
    ['the an', 'an', 2 / 3],
    ['!!!', '!!!', 1],
    ['???', '!!!', 0],
    ['the answer', 'answer', 1],
    ['北京大学。', '北京大学', 1],
    ['北京', '北京大学', 2 / 3],
    ['他在北京。', '北京', 2 / 3],
    ['กรุงเทพ', 'กรุงเทพ', 1],
    ['Paris 北京', 'Paris', 0.5],
  ] as const) {
    it(`f1 of ${prediction} for ${answer}`, () => {
      expect(score('f1', prediction, [answer])).to.be.closeTo(expected, 1e-12);
    });
  }

  it('cleans both sides alike where answers are looked for', () => {
    for (const scorer of ['contains_any', 'contains_all']) {
      expect(score(scorer, 'line one\nline two', ['line one\nline two'])).to.equal(1);
      expect(score(scorer, 'a\tb', ['a\tb'])).to.equal(1);
      expect(score(scorer, 'It is Paris.', [' Paris '])).to.equal(1);
      expect(score(scorer, 'It is Rome.', [' Paris '])).to.equal(0);
    }
  });

  it('compares composed and decomposed letters as equal', () => {
    const [composed, decomposed] = ['Crème', 'Crème'.normalize('NFD')];
    for (const scorer of ['exact', 'f1', 'contains_any', 'rouge_l', 'classification', 'code_similarity']) {
      expect(score(scorer, decomposed, [composed]), scorer).to.be.closeTo(1, 1e-8);
      expect(score(scorer, composed, [decomposed]), scorer).to.be.closeTo(1, 1e-8);
    }
  });

  for (const [scorer, answer, expected] of [
    ['exact', ' \n', 'expected a text that is not empty'],
    ['f1', '\t', 'expected a text that is not empty'],
    ['contains_any', '\u0001', 'expected more than control characters'],
    ['rouge_l', ' . ', 'expected more than full stops'],
    ['f1_zh', '！！', 'expected more than punctuation'],
    ['count', 'seven', 'expected a number of digits alone'],
    ['count', '7.5', 'expected a number of digits alone'],
    ['classification', 'c', 'expected one of the classes of its row'],
  ] as const) {
    it(`refuses for ${scorer} the answer ${JSON.stringify(answer)}, which nothing could match`, () => {
      const file = fileOf([
        { ...ROW, answers: ['7'], classes: ['7', 'b'] },
        { ...ROW, answers: ['7', answer], classes: ['7', 'b'] },
      ]);
      expect(faultOf(() => opened(task(scorer), { file }))).to.match(
        new RegExp(`my\\.jsonl:2 {2}answers\\.1: ${expected}`),
      );
    });
  }

  it('is looked at as a whole before the first sample, and errors name file and line', () => {
    const fault = (row: unknown, scorer = 'f1') =>
      faultOf(() => sampleOf(task(scorer), { file: fileOf([ROW, row]) }));
    expect(fault({ ...ROW, context: '' })).to.match(/my\.jsonl:2 {2}context: expected a text/);
    expect(fault({ ...ROW, context: ' \n\u3000' })).to.match(/my\.jsonl:2 {2}context: expected a text/);
    expect(fault({ ...ROW, answers: [] })).to.match(/my\.jsonl:2 {2}answers: expected at least one/);
    expect(fault({ ...ROW, answers: 'x' })).to.match(/my\.jsonl:2 {2}answers: expected array, found string/);
    expect(fault({ context: 'x' })).to.match(
      /my\.jsonl:2 {2}answers: expected array, found nothing\n.*a list of texts/,
    );
    expect(fault({ ...ROW, anser_prefix: 'x' })).to.match(/my\.jsonl:2 .*unknown key: "anser_prefix"/);
    expect(fault({ ...ROW, max_new_tokens: 0 })).to.match(/my\.jsonl:2 {2}max_new_tokens: /);
    expect(fault(ROW, 'classification')).to.match(/my\.jsonl:1 {2}classes: /);
    expect(fault(['x'])).to.match(/my\.jsonl:2 /);
    expect(faultOf(() => sampleOf(task('f1'), { file: fileOf(`${jsonLines([ROW])}{"context": `) }))).to.match(
      /my\.jsonl:2 {2}expected a JSON object/,
    );
    expect(faultOf(() => sampleOf(task('f1'), { file: '/nowhere/my.jsonl' }))).to.match(
      /my\.jsonl {2}cannot read the file: /,
    );
    expect(faultOf(() => sampleOf(task('f1'), { file: fileOf([ROW]) }, 1))).to.match(
      /Use at most samples: 1/,
    );
  });

  it('has a digest of its content', () => {
    const digest = (...rows: unknown[]) => digestOf(task('f1'), { file: fileOf(rows) });
    expect(digest(ROW)).to.equal(digest(ROW));
    expect(digest(ROW)).to.not.equal(digest(ROW, ROW));
  });
});
