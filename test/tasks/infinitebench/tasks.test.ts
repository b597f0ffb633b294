import { expect } from 'chai';
import { infinitebenchTasks } from '../../../src/tasks/infinitebench/list.js';
import { TEMPLATES, type InfiniteBenchName } from '../../../src/tasks/infinitebench/templates.js';
import {
  digestOf,
  faultOf,
  folderOf,
  joined,
  opened,
  removeFolders,
  sampleOf,
  scored,
  taskNamed,
} from '../loader-support.js';

const CONTEXT = 'Some {braces} and $& signs.\n';
const OPTIONS = ['open_gate', 'count_buoys', 'C', 'ring_bell'];
const row = (fields: object) => ({ id: 0, context: CONTEXT, input: 'What is it?', options: [], ...fields });

/** `yarn_mistral_templates` of InfiniteBench's prompt.py, filled in with the row beside each. */
const expected: Record<
  InfiniteBenchName,
  { row: object; prompt: string; answers: string[]; newTokens: number }
> = {
  passkey: {
    row: row({ answer: '71432' }),
    prompt: `There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. I will quiz you about the important information there.\n\n${CONTEXT}\n\nWhat is it?\n\nThe pass key is`,
    answers: ['71432'],
    newTokens: 26,
  },
  number_string: {
    row: row({ answer: ['5550817263'] }),
    prompt: `There is an important info hidden inside a lot of irrelevant text. Find it. I will quiz you about the important information there.\n\n${CONTEXT}\n\nWhat is it?\n\nThe sequence of digits is`,
    answers: ['5550817263'],
    newTokens: 32,
  },
  kv_retrieval: {
    row: row({ answer: ['3f1c'] }),
    prompt: `Extract the value corresponding to the specified key in the JSON object below.\n\n${CONTEXT}\n\nWhat is it?`,
    answers: ['3f1c'],
    newTokens: 70,
  },
  longbook_sum_eng: {
    row: row({ answer: ['A bell is found.'] }),
    prompt: `Summarize the book below.\n\n${CONTEXT}\n\nSummary:`,
    answers: ['A bell is found.'],
    newTokens: 1220,
  },
  longbook_choice_eng: {
    row: row({ options: OPTIONS, answer: ['count_buoys'] }),
    prompt: `Read the book and answer the question.\n\n${CONTEXT}\n\nQuestion: What is it?\nA. open_gate\nB. count_buoys\nC. C\nD. ring_bell\n\nThe letter of the correct answer is`,
    answers: ['count_buoys', 'B'],
    newTokens: 60,
  },
  longbook_qa_eng: {
    row: row({ answer: ['a bell', 'the bell'] }),
    prompt: `Read the book and answer the question. Be very concise in your answer.\n\n${CONTEXT}\n\nQuestion: What is it?\nAnswer:`,
    answers: ['a bell', 'the bell'],
    newTokens: 60,
  },
  longbook_qa_chn: {
    row: row({ answer: ['铜钟'] }),
    prompt: `阅读以下书籍然后回答问题。\n\n${CONTEXT}\n\n问题：What is it?\n答案：`,
    answers: ['铜钟'],
    newTokens: 60,
  },
  longdialogue_qa_eng: {
    row: row({ answer: ['MARTA', 'MARTA QUILL'] }),
    prompt: `Below is a dialogue script where one random occurrence of a character name is replaced with "$$MASK$$", and you should try to guess who that character is.\n\n${CONTEXT}\n\nThe name that has been replaced with $$MASK$$ is likely`,
    answers: ['MARTA', 'MARTA QUILL'],
    newTokens: 60,
  },
  math_find: {
    row: row({ input: 'Answer with one number. The second largest number of the list is: ', answer: [97.5] }),
    prompt: `What is the second largest number in the following list?\n\n${CONTEXT}\n\nAnswer with one number. The second largest number of the list is: `,
    answers: ['97.5'],
    newTokens: 23,
  },
  math_calc: {
    row: row({ answer: [[1, 4, 8]] }),
    prompt: `Let us calculate the intermediate values of an expression.\n\nExpression: 1 + 3 + 4\nValues: [1, 4, 8]\n\nExpression: 8 - 3 + 2 - 4\nValues: [8, 5, 7, 3]\n\nExpression: ${CONTEXT}\nValues:`,
    answers: ['1', '4', '8'],
    newTokens: 30_020,
  },
  code_run: {
    row: row({ input: 'Give me the return value of func_12(-3).', answer: [-12] }),
    prompt: `There is a function called func_12 in the following Python code.\n\n${CONTEXT}\n\nPlease compute the exact value of func_12(-3). The value of func_12(-3) is`,
    answers: ['-12'],
    newTokens: 25,
  },
  code_debug: {
    row: row({ options: OPTIONS, answer: ['C', 'C'] }),
    prompt: `Following is a Python code where exactly one of the functions/methods has a deliberate error that makes it crash.\n\n${CONTEXT}\n\nOptions:\nA. open_gate\nB. count_buoys\nC. C\nD. ring_bell\n\nThe correct option is:`,
    answers: ['C', 'C'],
    newTokens: 25,
  },
};

const task = (name: string) => taskNamed(infinitebenchTasks, `infinitebench/${name}`);

describe('InfiniteBench', () => {
  after(removeFolders);

  it('has twelve tasks', () => {
    expect(infinitebenchTasks.map(({ name }) => name)).to.have.members(
      Object.keys(expected).map((name) => `infinitebench/${name}`),
    );
  });

  for (const [name, { row: written, prompt, answers, newTokens }] of Object.entries(expected)) {
    it(`${name}: the official prompt, its answers, and 20 tokens more than the official limit`, () => {
      const folder = folderOf({ [`${name}.jsonl`]: [written] });
      const sample = sampleOf(task(name), { folder });
      expect(joined(sample)).to.equal(prompt);
      expect(sample.answers).to.deep.equal(answers);
      expect(sample.maxNewTokens).to.equal(newTokens);
      expect(sample.context).to.include(CONTEXT);
      expect(`${sample.question}${sample.answerPrefix}`).to.not.include(CONTEXT);
    });
  }

  it('contexts end with the document, so that only it can be cut', () => {
    for (const { context } of Object.values(TEMPLATES)) expect(context).to.match(/\{context\}$/);
  });

  it('scores what the released harness cannot: numbers as numbers, choices by name or letter', () => {
    const right: Record<string, [string, string[]]> = {
      passkey: ['71432 is the key', ['71432']],
      kv_retrieval: ['"3f1c"', ['3f1c']],
      longbook_choice_eng: ['The answer is B', ['count_buoys', 'B']],
      longbook_qa_eng: ['The bell.', ['a bell']],
      longbook_qa_chn: ['铜钟。', ['铜钟']],
      longdialogue_qa_eng: ['Marta', ['MARTA']],
      math_find: ['97.50', ['97.5']],
      math_calc: ['1, 4, 8', ['1', '4', '8']],
      code_run: ['It is -12', ['-12']],
      code_debug: ['count_buoys', ['count_buoys', 'B']],
    };
    const score = (name: string, prediction: string, answers: readonly string[]): number => {
      const folder = folderOf({ [`${name}.jsonl`]: [{}] });
      return scored(opened(task(name), { folder }), prediction, answers);
    };
    for (const [name, [prediction, answers]] of Object.entries(right)) {
      expect(score(name, prediction, answers), name).to.equal(1);
      expect(score(name, '', answers), name).to.equal(0);
    }
    expect(score('longbook_sum_eng', 'A bell is found.', ['A bell is found.'])).to.be.closeTo(1, 1e-8);
    const long = Array.from({ length: 1200 }, (_, i) => `w${i}`).join(' ');
    expect(score('longbook_sum_eng', long, [long]), 'no recursion limit').to.be.closeTo(1, 1e-8);
  });

  const scoreAs = (
    name: InfiniteBenchName,
    variant: string | undefined,
    prediction: string,
    answers: readonly string[],
  ): number => {
    const folder = folderOf({ [`${name}.jsonl`]: [{}] });
    return scored(opened(task(name), { folder, variant }), prediction, answers);
  };

  // What kvpress's script and the benchmark's own say of the same answers.
  for (const [name, prediction, answers, kvpress, official] of [
    ['code_debug', 'The bug is in option B', ['count_buoys', 'B'], 1, 0],
    ['code_debug', 'count_buoys', ['count_buoys', 'B'], 1, 0],
    ['code_debug', 'B. count_buoys', ['count_buoys', 'B'], 1, 1],
    ['code_debug', 'B: count_buoys', ['count_buoys', 'B'], 1, 1],
    ['code_debug', ' B. count_buoys', ['count_buoys', 'B'], 1, 0],
    ['code_debug', 'The answer is: B', ['count_buoys', 'B'], 1, 1],
    ['code_debug', 'The correct option is: count_buoys', ['count_buoys', 'B'], 1, 1],
    ['code_debug', 'The answer is:', ['count_buoys', 'B'], 0, 0],
    ['code_debug', '', ['count_buoys', 'B'], 0, 0],
    ['longbook_choice_eng', 'Of these it is B', ['a gate', 'B'], 1, 1],
    ['longbook_choice_eng', 'A is wrong, so it is B', ['a gate', 'B'], 1, 0],
    ['longbook_choice_eng', 'Not A but B', ['a gate', 'B'], 1, 0],
    ['longbook_choice_eng', 'a gate', ['a gate', 'B'], 1, 0],
    ['longbook_choice_eng', 'answer: a gate', ['a gate', 'B'], 1, 1],
    ['longbook_choice_eng', '', ['a gate', 'B'], 0, 0],
    ['longdialogue_qa_eng', 'It is Marta.', ['MARTA'], 1, 1],
    ['longdialogue_qa_eng', 'MARTAS', ['MARTA'], 1, 0],
    ['longdialogue_qa_eng', 'Quill', ['MARTA', 'QUILL'], 1, 0],
    ['longdialogue_qa_eng', 'Marta Quill', ['MARTA QUILL'], 1, 0],
    ['passkey', 'It is 71432.', ['71432'], 1, 1],
    ['code_run', 'It is -12', ['-12'], 1, 1],
  ] as const) {
    it(`${name}: ${JSON.stringify(prediction)} is ${kvpress} by kvpress and ${official} officially`, () => {
      expect(scoreAs(name, 'kvpress', prediction, answers)).to.equal(kvpress);
      expect(scoreAs(name, undefined, prediction, answers)).to.equal(kvpress);
      expect(scoreAs(name, 'official', prediction, answers)).to.equal(official);
    });
  }

  it('scores a summary officially by ROUGE-Lsum: lines are sentences, words count as often as they occur', () => {
    const score = (prediction: string, answer: string) =>
      scoreAs('longbook_sum_eng', 'official', prediction, [answer]);
    expect(score('The bell, the BELL!', 'the bell. The bell')).to.equal(1);
    expect(score('a b\nc d', 'c d\na b')).to.equal(1);
    expect(score('a b c d', 'c d a b')).to.equal(0.5);
    expect(score('a a', 'a b')).to.equal(0.5);
    expect(score('a x c', 'a b c d')).to.be.closeTo((2 * (2 / 3) * (2 / 4)) / (2 / 3 + 2 / 4), 1e-12);
    expect(score('', 'a b')).to.equal(0);
    expect(score('。', 'a b')).to.equal(0);
  });

  it('names both variants in what it says of itself', () => {
    for (const { notes, name } of infinitebenchTasks) {
      expect(notes!.join(' '), name).to.match(/kvpress.*official/);
    }
  });

  it('takes the n-th row, and another limit of new tokens', () => {
    const folder = folderOf({ 'passkey.jsonl': [row({ answer: '1' }), row({ answer: '2' })] });
    const sample = sampleOf(task('passkey'), { folder, max_new_tokens: 6 }, 1);
    expect(sample.answers).to.deep.equal(['2']);
    expect(sample.maxNewTokens).to.equal(6);
    expect(faultOf(() => sampleOf(task('passkey'), { folder }, 2))).to.include('samples: 2');
  });

  it('has a digest that changes with the file', () => {
    const digest = (answer: string) => {
      const folder = folderOf({ 'passkey.jsonl': [row({ answer })] });
      return digestOf(task('passkey'), { folder });
    };
    expect(digest('1')).to.match(/^[0-9a-f]{64}$/);
    expect(digest('1')).to.equal(digest('1'));
    expect(digest('1')).to.not.equal(digest('2'));
  });

  it('names the command that fetches files that are not there', () => {
    const fault = faultOf(() => sampleOf(task('passkey'), { folder: folderOf({}) }));
    expect(fault)
      .to.include('passkey.jsonl  cannot read the file')
      .and.include('spark-eval pull infinitebench');
  });

  const bad: [string, object, string][] = [
    ['passkey', row({ answer: '1', context: '' }), 'context: expected a text that is not empty'],
    ['passkey', row({ answer: '1', input: 3 }), 'input: '],
    ['passkey', row({}), 'answer: expected a text, a number or a list of them'],
    ['passkey', row({ answer: [] }), 'answer: expected at least one, found none'],
    ['code_run', row({ answer: [1] }), 'input: expected a call such as func_12(-3), found "What is it?"'],
    ['math_find', row({ answer: [1] }), 'input: expected words such as'],
    ['code_debug', row({ options: ['a'], answer: ['a'] }), 'options: expected 4 of them, found 1'],
    ['code_debug', row({ options: OPTIONS, answer: ['x'] }), 'answer: expected one of the options'],
    [
      'longbook_choice_eng',
      row({ options: OPTIONS, answer: ['C', 'B'] }),
      'answer: expected one of the options',
    ],
  ];
  for (const [name, written, message] of bad) {
    it(`${name}: refuses a row with file and line: ${message}`, () => {
      const folder = folderOf({ [`${name}.jsonl`]: ['first', written] });
      expect(faultOf(() => sampleOf(task(name), { folder }, 1))).to.include(`${name}.jsonl:2  ${message}`);
    });
  }
});
