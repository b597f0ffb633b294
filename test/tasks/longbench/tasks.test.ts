import { expect } from 'chai';
import { LONGBENCH_NAMES } from '../../../src/tasks/longbench/facts.js';
import { longbenchETasks, longbenchTasks } from '../../../src/tasks/longbench/list.js';
import { tasks } from '../../../src/tasks/built-in.js';
import type { LongBenchName } from '../../../src/tasks/scorers/longbench.js';
import type { Prompt } from '../../../src/tasks/one-question.js';
import {
  digestOf,
  faultOf,
  folderOf,
  joined,
  jsonLines,
  opened,
  removeFolders,
  sampleOf,
  scored,
  taskNamed,
} from '../loader-support.js';
import { CONTEXT, inputOf, OFFICIAL_PROMPTS, officialPrompt, row } from './rows.js';

const PLAIN = ['trec', 'triviaqa', 'samsum', 'lsht', 'lcc', 'repobench-p'];
/** `dataset2maxlen.json` of LongBench's repository. */
const OFFICIAL_LIMITS: Record<LongBenchName, number> = {
  ...{
    narrativeqa: 128,
    qasper: 128,
    multifieldqa_en: 64,
    multifieldqa_zh: 64,
    hotpotqa: 32,
    '2wikimqa': 32,
  },
  ...{ musique: 32, dureader: 128, gov_report: 512, qmsum: 512, multi_news: 512, vcsum: 512, trec: 64 },
  ...{ triviaqa: 32, samsum: 128, lsht: 64, passage_count: 32, passage_retrieval_en: 32 },
  ...{ passage_retrieval_zh: 32, lcc: 64, 'repobench-p': 64 },
};

const task = (name: string) => taskNamed(longbenchTasks, `longbench/${name}`);
let files: string;
const sample = (name: LongBenchName, protocol: 'spark' | 'longbench'): Prompt =>
  sampleOf(task(name), { folder: files, protocol });

describe('longbench', () => {
  before(() => {
    files = folderOf(Object.fromEntries(LONGBENCH_NAMES.map((name) => [`${name}.jsonl`, [row(name)]])));
  });
  after(removeFolders);

  it('has 21 tasks, and 13 in LongBench-E', () => {
    expect(LONGBENCH_NAMES).to.have.members(Object.keys(OFFICIAL_PROMPTS));
    expect([longbenchTasks.length, longbenchETasks.length]).to.deep.equal([21, 13]);
    for (const { name } of [...longbenchTasks, ...longbenchETasks])
      expect(tasks.has(name), name).to.equal(true);
  });

  for (const name of Object.keys(OFFICIAL_PROMPTS) as LongBenchName[]) {
    it(`gives ${name} the official prompt to the letter, under both protocols`, () => {
      const official = sample(name, 'longbench');
      expect(joined(official)).to.equal(officialPrompt(name));
      expect(official.answerPrefix).to.equal('');
      expect(joined(sample(name, 'spark'))).to.equal(officialPrompt(name));
    });
  }

  it('cuts prompts as the published copy does', () => {
    const parts = (name: LongBenchName) => {
      const { context, question, answerPrefix } = sample(name, 'spark');
      return [context.slice(context.indexOf(CONTEXT) + CONTEXT.length), question, answerPrefix];
    };
    const asked = inputOf('qasper');
    expect(parts('narrativeqa').slice(1)).to.deep.equal([`Question: ${asked}\n\n`, 'Answer:']);
    expect(parts('qasper')[0]).to.match(
      /^\n\n Answer the question based on the above article .*explanation\.\n\n$/,
    );
    expect(parts('multifieldqa_en').slice(1)).to.deep.equal([`Question: ${asked}\n`, 'Answer:']);
    expect(parts('multifieldqa_zh').slice(1)).to.deep.equal([`问题：${asked}\n`, '回答：']);
    expect(parts('gov_report')).to.deep.equal([
      '\n\n',
      'Now, write a one-page summary of the report.\n\n',
      'Summary:',
    ]);
    expect(parts('qmsum').slice(1)).to.deep.equal([`Query: ${asked}\n`, 'Answer:']);
    expect(parts('vcsum')).to.deep.equal(['\n\n', '', '会议总结：']);
    expect(parts('trec')).to.deep.equal(['\n', 'Question: How far is it ?\n', 'Type:']);
    expect(parts('triviaqa')).to.deep.equal([
      '\n\n',
      'Passage:\nA bell.\nQuestion:\nWhat rings?\n',
      'Answer:',
    ]);
    expect(parts('lsht')).to.deep.equal(['\n', '新闻内容：\n钟响了\n类别：', '']);
    expect(parts('passage_count')[1]).to.match(/^Please enter the final count .* and so on\.\n\n$/);
    expect(parts('passage_retrieval_en')).to.deep.equal([
      '\n\nThe following is an abstract.\n\n',
      `${asked}\n\nPlease enter the number of the paragraph that the abstract is from. The answer format must be like "Paragraph 1", "Paragraph 2", etc.\n\n`,
      'The answer is: ',
    ]);
    expect(parts('lcc')).to.deep.equal(['', '', 'Next line of code:\n']);
    expect(parts('repobench-p')).to.deep.equal(['', asked, 'Next line of code:\n']);
  });

  it('as the released builder, leaves an input that does not end in the answer prefix as it is', () => {
    const folder = folderOf({ 'samsum.jsonl': [row('samsum', { input: 'Ada: Hi!\nSummary: ' })] });
    const parts = (protocol: string) => {
      const { question, answerPrefix } = sampleOf(task('samsum'), { folder, protocol });
      return [question, answerPrefix];
    };
    expect(parts('spark')).to.deep.equal(['Ada: Hi!\nSummary: ', 'Summary:']);
    expect(parts('longbench')).to.deep.equal(['Ada: Hi!\nSummary: ', '']);
  });

  it('grants the official limit of tokens, 20 more under the protocol of the paper, or what the spec says', () => {
    for (const name of LONGBENCH_NAMES) {
      expect(sample(name, 'longbench').maxNewTokens, name).to.equal(OFFICIAL_LIMITS[name]);
      expect(sample(name, 'spark').maxNewTokens, name).to.equal(OFFICIAL_LIMITS[name] + 20);
    }
    expect(sampleOf(task('lcc'), { folder: files, max_new_tokens: 5 }).maxNewTokens).to.equal(5);
  });

  it('has no chat template around examples and code, and ends samsum at a line break', () => {
    for (const name of LONGBENCH_NAMES) {
      const plain = PLAIN.includes(name);
      expect(sample(name, 'spark').plain, name).to.deep.equal(
        plain ? { specialTokens: false, suffix: '\n' } : undefined,
      );
      expect(sample(name, 'longbench').plain, name).to.deep.equal(
        plain ? { specialTokens: true, suffix: '' } : undefined,
      );
      expect(sample(name, 'spark').stop, name).to.equal(name === 'samsum' ? 'newline' : undefined);
      expect(task(name).notes?.some((note) => note.startsWith('No chat template'))).to.equal(plain);
    }
    expect(task('samsum').notes).to.include('A line break ends the answer.');
  });

  it('scores as the benchmark does, with the class names of the row', () => {
    const classes = ['Distance, linear measure', 'Distance'];
    const trec = sampleOf(task('trec'), {
      folder: folderOf({ 'trec.jsonl': [row('trec', { answers: [classes[0]], all_classes: classes })] }),
    });
    const score = (text: string) => opened(task('trec'), { folder: files }).score(text, trec);
    expect(score('Distance, linear measure\nQuestion: Distance')).to.equal(1);
    expect(score('Distance')).to.equal(0);
    expect(scored(opened(task('hotpotqa'), { folder: files }), 'the first', ['second', 'first'])).to.equal(1);
    expect(
      faultOf(() => opened(task('trec'), { folder: files }).score('x', sample('trec', 'spark'))),
    ).to.match(/class names/);
  });

  it('takes the rows of one bin of lengths', () => {
    const rows = [100, 5000, 3999, 8000, 4000, 90_000].map((length) =>
      row('qasper', { length, context: `${length}` }),
    );
    const folder = folderOf({ 'qasper_e.jsonl': rows });
    const e = taskNamed(longbenchETasks, 'longbench-e/qasper');
    const lengths = (length: string | undefined, count: number) =>
      Array.from(
        { length: count },
        (_, index) => /Article: (\d+)/.exec(sampleOf(e, { folder, length }, index).context)?.[1],
      );
    expect(lengths('0-4k', 2)).to.deep.equal(['100', '3999']);
    expect(lengths('4-8k', 2)).to.deep.equal(['5000', '4000']);
    expect(lengths('8k+', 2)).to.deep.equal(['8000', '90000']);
    expect(lengths(undefined, 6)).to.have.length(6);
    expect(faultOf(() => lengths('4-8k', 3))).to.match(
      /qasper_e\.jsonl \(4-8k\) {2}expected at least 3 samples, found 2/,
    );
  });

  it('names file and line of what is wrong', () => {
    const fault = (second: string) => {
      const folder = folderOf({ 'lcc.jsonl': `${jsonLines([row('lcc')])}${second}` });
      return faultOf(() => sampleOf(task('lcc'), { folder }, 1));
    };
    const without = (field: string) =>
      jsonLines([Object.fromEntries(Object.entries(row('lcc')).filter(([key]) => key !== field))]);
    for (const field of ['input', 'context', 'answers', 'length']) {
      expect(fault(without(field)), field).to.match(new RegExp(`lcc\\.jsonl:2 {2}.*${field}: `));
    }
    expect(fault(jsonLines([row('lcc', { context: '' })]))).to.match(
      /lcc\.jsonl:2 {2}context: expected a text/,
    );
    expect(fault(jsonLines([row('lcc', { answers: [] })]))).to.match(/answers: expected at least one answer/);
    expect(fault(jsonLines([row('lcc', { answers: 'x' })]))).to.match(/lcc\.jsonl:2 {2}answers: /);
    expect(fault(jsonLines([row('lcc', { length: 1.5 })]))).to.match(/lcc\.jsonl:2 {2}length: /);
    expect(fault('{"input": "a", "con\n')).to.match(/lcc\.jsonl:2 {2}expected a JSON object, found text/);
    expect(fault('')).to.match(/expected at least 2 samples, found 1/);
  });

  it('says how to get the files', () => {
    const fault = faultOf(() => digestOf(task('lcc'), { folder: folderOf({}) }));
    expect(fault).to.match(/lcc\.jsonl {2}cannot read the file: .*\n.*spark-eval pull longbench/);
  });

  it('has a digest of the file', () => {
    const digest = (fields: object) =>
      digestOf(task('lcc'), { folder: folderOf({ 'lcc.jsonl': [row('lcc', fields)] }) });
    expect(digest({}))
      .to.equal(digest({}))
      .and.not.equal(digest({ input: 'x' }));
  });
});
