import { expect } from 'chai';
import { loogleScore, loogleTasks } from '../../../src/tasks/loogle/list.js';
import type { LoogleName } from '../../../src/tasks/loogle/templates.js';
import { faultOf, folderOf, joined, removeFolders, sampleOf, taskNamed } from '../loader-support.js';

const task = (name: string) => taskNamed(loogleTasks, `loogle/${name}`);

const scoreOf = (name: LoogleName) => loogleScore(name);

const QA = [
  {
    input: 'The {first} text.',
    title: 'One',
    qa_pairs: `[{'Q': "Whose bell is it?", 'A': 'Marta\\'s', 'S': ['It is hers.']}, {'Q': 'When?', 'A': '1912', 'type': 'computation', 'S': []}]`,
    output: 'None',
  },
  { input: 'The second text.', title: 'Two', qa_pairs: [{ Q: 'How many?', A: 3 }], output: 'none' },
];
const PROMPT = (text: string, question: string) =>
  `Please answer the question based on the long texts below. \n${text}\nQuestion: ${question}\nAnswer: `;

const CLOZE = {
  input: 'A tale.',
  title: 'T',
  qa_pairs: `[{'Q': '<mask-0> met <mask-1>.', 'A': {'<mask-0>': 'Pip', '<mask-1>': 'Marta Quill'}, 'S': 'x'}]`,
  output: 'None',
};

describe('LooGLE', () => {
  after(removeFolders);

  for (const [name, newTokens] of [
    ['shortdep_qa', 300],
    ['longdep_qa', 500],
  ] as const) {
    it(`${name}: every question of every document is a sample, with the official prompt`, () => {
      const folder = folderOf({ [`${name}.jsonl`]: QA });
      const samples = [0, 1, 2].map((index) => sampleOf(task(name), { folder }, index));
      expect(samples.map(joined)).to.deep.equal([
        PROMPT('The {first} text.', 'Whose bell is it?'),
        PROMPT('The {first} text.', 'When?'),
        PROMPT('The second text.', 'How many?'),
      ]);
      expect(samples.flatMap(({ answers }) => answers)).to.deep.equal(["Marta's", '1912', '3']);
      expect(samples[0]!.context).to.equal(samples[1]!.context);
      expect(samples[0]!.maxNewTokens).to.equal(newTokens);
      expect(faultOf(() => sampleOf(task(name), { folder }, 3))).to.include('samples: 3');
    });
  }

  it('longdep_summarization: the paper and its summary', () => {
    const folder = folderOf({
      'longdep_summarization.jsonl': [
        { input: 'A paper.', title: '1', qa_pairs: 'none', output: 'A summary.' },
      ],
    });
    const sample = sampleOf(task('longdep_summarization'), { folder });
    expect(joined(sample)).to.equal(
      'Please generate a summary of the below paper. \nA paper.\n Summarization: ',
    );
    expect(sample.answers).to.deep.equal(['A summary.']);
    expect(sample.maxNewTokens).to.equal(500);
  });

  it('shortdep_cloze: the answer is a dictionary of masked names', () => {
    const folder = folderOf({ 'shortdep_cloze.jsonl': [CLOZE] });
    const sample = sampleOf(task('shortdep_cloze'), { folder, max_new_tokens: 60 });
    expect(joined(sample)).to.equal(
      "Please fill in the clozes based on the given long texts below. Each of the placeholder '<mask-n>' in the question could be an entity of Person, Location or Organiocation. The same masks represent the same entity. Output a json format answer, for example: {'<mask-0>': 'Bob', '<mask-1>': 'Gorrosion Magazine','<mask-2>': 'Bethel Horizon'}\nA tale.\n Question: <mask-0> met <mask-1>. What are the masked entities? \nAnswer:",
    );
    expect(sample.maxNewTokens).to.equal(60);
    const score = scoreOf('shortdep_cloze');
    expect(score("{'<mask-0>': 'Pip', '<mask-1>': 'Marta Quill'}", sample.answers)).to.equal(1);
    expect(score("{'<mask-0>': 'Pip', '<mask-1>': 'Marta'}", sample.answers)).to.equal(0.5);
    expect(score('__import__("os")', sample.answers)).to.equal(0);
  });

  it('reads the later form too, one question a row', () => {
    const folder = folderOf({
      'longdep_qa.jsonl': [{ context: 'Text.', question: 'Who?', answer: 'Pip', evidence: [], doc_id: 1 }],
      'longdep_summarization.jsonl': [{ context: 'Text.', question: 'Summarise.', answer: 'Short.' }],
      'shortdep_cloze.jsonl': [{ context: 'Text.', question: '<mask-0>?', answer: ['Pip', 'Marta'] }],
    });
    const qa = sampleOf(task('longdep_qa'), { folder });
    expect(joined(qa)).to.equal(PROMPT('Text.', 'Who?'));
    expect(qa.answers).to.deep.equal(['Pip']);
    expect(sampleOf(task('longdep_summarization'), { folder }).question).to.equal('\n ');
    expect(sampleOf(task('shortdep_cloze'), { folder }).answers).to.deep.equal([
      '{"<mask-0>":"Pip","<mask-1>":"Marta"}',
    ]);
  });

  it('scores by the recall of ROUGE-L', () => {
    const score = scoreOf('longdep_qa');
    expect(score('the old bell of Marta rang', ['the bell rang'])).to.equal(1);
    expect(score('the bell', ['the bell rang twice'])).to.equal(0.5);
    expect(score('', ['the bell'])).to.equal(0);
  });

  const bad: [string, object, string][] = [
    ['shortdep_qa', { input: '', qa_pairs: [], output: '' }, 'input: expected a text that is not empty'],
    [
      'shortdep_qa',
      { input: 'x', qa_pairs: 'none', output: '' },
      'qa_pairs: expected a value at character 1',
    ],
    ['shortdep_qa', { input: 'x', qa_pairs: '[', output: '' }, 'qa_pairs: expected a value at character 2'],
    ['shortdep_qa', { input: 'x', qa_pairs: [], output: '' }, 'qa_pairs: expected at least one question'],
    [
      'shortdep_qa',
      { input: 'x', qa_pairs: [{ Q: 'a' }], output: '' },
      'qa_pairs.0.A: expected a text, a number or',
    ],
    ['shortdep_qa', CLOZE, 'qa_pairs.0.A: expected a text'],
    ['shortdep_cloze', QA[1]!, 'expected a dictionary of masked names as the answer, found 3'],
    ['longdep_summarization', { input: 'x', qa_pairs: 'none', output: 3 }, 'output: '],
    ['longdep_qa', { context: 'x', question: 'y' }, 'answer: '],
    [
      'longdep_qa',
      { context: 'x', question: 'y', answer: ['z'] },
      'answer: expected a text, found a list of 1',
    ],
  ];
  for (const [name, row, message] of bad) {
    it(`${name}: refuses a row with file and line: ${message}`, () => {
      const good = name === 'shortdep_cloze' ? CLOZE : { context: 'c', question: 'q', answer: 'a' };
      const folder = folderOf({ [`${name}.jsonl`]: [good, row] });
      expect(faultOf(() => sampleOf(task(name), { folder }, 1))).to.include(`${name}.jsonl:2  ${message}`);
    });
  }

  it('names the command that fetches files that are not there', () => {
    const fault = faultOf(() => sampleOf(task('longdep_qa'), { folder: folderOf({}) }));
    expect(fault).to.include('spark-eval pull loogle');
  });
});
