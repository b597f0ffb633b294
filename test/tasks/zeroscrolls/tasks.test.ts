import { expect } from 'chai';
import { zeroScrollsTasks } from '../../../src/tasks/zeroscrolls/list.js';
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

const task = (name: string) => taskNamed(zeroScrollsTasks, `zeroscrolls/${name}`);

const DOCUMENT = 'You are given a story and a question.\n\nStory:\nThe 🔔 bell rang.';
const QUERY = '\n\nQuestion:\nWhat rang?';
const points = (text: string) => Array.from(text).length;

/** A row of the official form; its indices count code points. */
function row(fields: object = {}): Record<string, unknown> {
  return {
    id: 'a',
    pid: 'a_0',
    input: `${DOCUMENT}${QUERY}\n\nAnswer:\n`,
    output: 'the bell',
    document_start_index: 46,
    document_end_index: points(DOCUMENT),
    query_start_index: points(DOCUMENT) + 2,
    query_end_index: points(DOCUMENT + QUERY),
    truncation_seperator: '... [The rest of the story is omitted]\n\n',
    ...fields,
  };
}

const at = (rows: readonly object[], name = 'narrative_qa') =>
  folderOf({ [`${name}/validation.jsonl`]: rows });

describe('ZeroSCROLLS', () => {
  after(removeFolders);

  it('has ten tasks, each of which says that it is the validation split', () => {
    expect(zeroScrollsTasks).to.have.length(10);
    for (const { summary } of zeroScrollsTasks) expect(summary).to.include('validation split');
  });

  it('cuts the prompt behind document and query, where the row says, in code points', () => {
    const sample = sampleOf(task('narrative_qa'), { folder: at([row()]) });
    expect(sample).to.deep.equal({
      context: DOCUMENT,
      question: QUERY,
      answerPrefix: 'Answer:',
      answers: ['the bell'],
      maxNewTokens: 64,
    });
  });

  it('has no question where the query stands before the document', () => {
    const sample = sampleOf(task('gov_report'), { folder: at([row({ query_end_index: -1 })], 'gov_report') });
    expect(sample.context).to.equal(DOCUMENT);
    expect(sample.question).to.equal('');
    expect(joined(sample)).to.equal(`${DOCUMENT}Question:\nWhat rang?\n\nAnswer:`);
    expect(sample.maxNewTokens).to.equal(1024);
  });

  it('takes rows of one id as answers to one prompt', () => {
    const folder = at([
      row(),
      row({ id: 'b', output: 'another' }),
      row({ pid: 'a_1', output: 'a big bell' }),
    ]);
    expect(sampleOf(task('narrative_qa'), { folder }).answers).to.deep.equal(['the bell', 'a big bell']);
    expect(sampleOf(task('narrative_qa'), { folder }, 1).answers).to.deep.equal(['another']);
    expect(faultOf(() => sampleOf(task('narrative_qa'), { folder }, 2))).to.include('samples: 2');
    expect(scored(opened(task('narrative_qa'), { folder }), 'big bell', ['the bell', 'a big bell'])).to.equal(
      1,
    );
  });

  for (const [output, what] of [
    [null, 'null'],
    ['', 'an empty text'],
    [undefined, 'nothing'],
  ] as const) {
    it(`refuses a row of the test split, with ${what} as its answer`, () => {
      const folder = at([row(), row({ id: 'b', output })]);
      const fault = faultOf(() => sampleOf(task('narrative_qa'), { folder }));
      expect(fault).to.include(
        'validation.jsonl:2  expected a row with an answer, found one of the test split',
      );
      expect(fault).to.include('Only validation.jsonl can be scored');
    });
  }

  for (const [fields, message] of [
    [{ document_end_index: 1000 }, 'expected indices of at most'],
    [{ query_end_index: 1000 }, 'expected indices of at most'],
    [{ document_end_index: 0 }, 'document_end_index: '],
    [{ document_end_index: 1.5 }, 'document_end_index: '],
    [{ input: '' }, 'input: expected a text that is not empty'],
    [{ id: 7 }, 'id: '],
  ] as const) {
    it(`refuses ${JSON.stringify(fields)} with file and line`, () => {
      const folder = at([row(fields)]);
      expect(faultOf(() => sampleOf(task('narrative_qa'), { folder }))).to.include(
        `validation.jsonl:1  ${message}`,
      );
    });
  }

  it('names the command that fetches files that are not there', () => {
    expect(faultOf(() => sampleOf(task('quality'), { folder: folderOf({}) }))).to.include(
      'spark-eval pull zero-scrolls',
    );
  });
});
