import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { UserError } from '../../../src/base/errors.js';
import { tasks } from '../../../src/tasks/built-in.js';
import {
  type QuestionReader,
  type QuestionSet,
  readHotpot,
  readSquad,
} from '../../../src/tasks/ruler/qa-files.js';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import { digestOf } from '../loader-support.js';
import { draw, HOTPOT, SQUAD } from './support.js';

const INSTRUCTION =
  'Answer the question based on the given documents. Only give me the answer and do not output any other words.';
const HEADER = `${INSTRUCTION}\n\nThe following are given documents.\n\n`;

/** Texts of `Document 1:\n… \n\nDocument 2:\n…`. */
function documentsOf(context: string): string[] {
  expect(context.startsWith(HEADER)).to.be.true;
  const texts = context.slice(HEADER.length).split(/(?:^|\n\n)Document \d+:\n/);
  expect(texts.shift()).to.equal('');
  expect(HEADER + texts.map((text, i) => `Document ${i + 1}:\n${text}`).join('\n\n')).to.equal(context);
  return texts;
}

/** Of a file that is read at once. */
function setOf(read: QuestionReader, path: string): QuestionSet {
  const set = read(new DataFiles(), path, 'source');
  if (set instanceof Promise) throw new Error('read only in time');
  return set;
}

describe('qa', () => {
  const sources = [
    { task: 'qa_1', file: SQUAD, set: setOf(readSquad, SQUAD), lengths: [200, 300, 400, 5000] },
    { task: 'qa_2', file: HOTPOT, set: setOf(readHotpot, HOTPOT), lengths: [230, 300, 5000] },
  ];
  for (const { task, file, set, lengths } of sources) {
    it(`${task}: own documents are always there, then related, then others, none twice`, () => {
      for (const contextLength of lengths) {
        for (const [index, { own, related, text, answers }] of set.questions.entries()) {
          const sample = draw(task, { contextLength, index, params: { file } });
          const found = documentsOf(sample.context);
          const indices = found.map((document) => set.documents.indexOf(document));
          expect(indices).to.not.include(-1);
          expect(new Set(indices).size).to.equal(indices.length);
          expect(indices).to.include.members([...own]);
          const others = indices.filter((i) => !own.includes(i) && !related.includes(i));
          if (others.length > 0) expect(indices).to.include.members([...related]);
          if (contextLength === 5000) expect(indices.length).to.equal(set.documents.length);
          expect(sample.question).to.equal(`\n\n${INSTRUCTION}\n\nQuestion: ${text}`);
          expect(sample).to.deep.include({ answers, answerPrefix: 'Answer:' });
        }
      }
    });

    it(`${task}: documents are shuffled by the seed`, () => {
      const firsts = Array.from({ length: 12 }, (_, seed) => {
        const sample = draw(task, { contextLength: 5000, seed, params: { file } });
        return documentsOf(sample.context)[0];
      });
      expect(new Set(firsts).size).to.be.above(3);
    });

    it(`${task}: an index beyond the questions says how many there are`, () => {
      expect(() => draw(task, { index: set.questions.length, params: { file } })).to.throw(
        UserError,
        new RegExp(`found ${set.questions.length}$`),
      );
    });

    it(`${task}: a file that is not there names the command that helps`, () => {
      const missing = join(tmpdir(), 'no-such-folder', 'dev.json');
      try {
        digestOf(tasks.get(`ruler/${task}`)!, { file: missing });
        expect.fail('no error');
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.place).to.equal(missing);
        expect(error.hint).to.match(/^spark-eval pull (squad-v2-dev|hotpotqa-dev) .* file:/);
      }
    });
  }
});

describe('files of questions', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qa-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  let written = 0;
  const write = (content: unknown): string => {
    const path = join(folder, `${written++}.json`);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const failure = (read: () => unknown): UserError => {
    try {
      read();
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
    throw new Error('no error');
  };

  it('SQuAD: answerable questions, answers once each, documents by text', () => {
    const { questions, documents } = setOf(readSquad, SQUAD);
    expect(documents).to.have.length(10);
    expect(
      questions.map(({ text, answers, own, related }) => ({ text, answers, own, related })),
    ).to.deep.equal([
      {
        text: 'When was the lighthouse of Brannock lit for the first time?',
        answers: ['1874', 'in 1874'],
        own: [0],
        related: [1, 2],
      },
      { text: 'Who was the last keeper?', answers: ['Mirna Tal'], own: [1], related: [0, 2] },
      { text: 'What makes the glass of Fenn green?', answers: ['iron'], own: [3], related: [4] },
      {
        text: 'How long does a glass blower of Fenn learn?',
        answers: ['seven years', 'seven'],
        own: [4],
        related: [3],
      },
    ]);
  });

  it('HotpotQA: title and sentences are one document, the same one where it comes again', () => {
    const { questions, documents } = setOf(readHotpot, HOTPOT);
    expect(documents[1]).to.equal('Ada Korl\nAda Korl was a composer. She was born in the valley of Fenn.');
    expect(documents).to.have.length(11);
    expect(questions.map(({ own }) => own)).to.deep.equal([
      [0, 1, 2],
      [3, 4, 2],
      [5, 6, 7],
      [8, 9, 10],
    ]);
    expect(questions[1]!.answers).to.deep.equal(['no']);
  });

  describe('in the forms of the hub', () => {
    const hotpotRows = [
      { context: { title: ['A', 'B'], sentences: [['One.', ' Two.'], ['Three.']] }, answer: 'One' },
      { context: { title: ['B'], sentences: [['Three.']] }, answer: 'no' },
    ].map((row, i) => ({ id: `${i}`, type: 'bridge', level: 'easy', question: `Q${i}?`, ...row }));
    const expectedHotpot = {
      documents: ['A\nOne. Two.', 'B\nThree.'],
      questions: [
        { text: 'Q0?', answers: ['One'], own: [0, 1], related: [] },
        { text: 'Q1?', answers: ['no'], own: [1], related: [] },
      ],
    };
    const squadRows = [
      { title: 'T', context: 'One.', answers: { text: ['a', 'a', 'b'], answer_start: [0, 0, 1] } },
      { title: 'T', context: 'Two.', answers: { text: [], answer_start: [] } },
      { title: 'U', context: 'Three.', answers: { text: ['c'], answer_start: [0] } },
    ].map((row, i) => ({ id: `${i}`, question: `Q${i}?`, ...row }));
    const expectedSquad = {
      documents: ['One.', 'Two.', 'Three.'],
      questions: [
        { text: 'Q0?', answers: ['a', 'b'], own: [0], related: [1] },
        { text: 'Q2?', answers: ['c'], own: [2], related: [] },
      ],
    };
    const lines = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n\n');
    for (const [name, read, rows, expected] of [
      ['HotpotQA', readHotpot, hotpotRows, expectedHotpot],
      ['SQuAD', readSquad, squadRows, expectedSquad],
    ] as const) {
      it(`${name} as rows of one array, JSON lines and what the viewer sends`, () => {
        const viewed = { rows: rows.map((row, row_idx) => ({ row_idx, row })) };
        for (const content of [rows, lines(rows), viewed]) {
          expect(setOf(read, write(content))).to.deep.include(expected);
        }
        expect(setOf(read, write(lines(rows.slice(0, 1)))).questions).to.have.length(1);
      });

      it(`${name} as Parquet`, async () => {
        const path = `${write('')}.parquet`;
        const columnData = Object.keys(rows[0]!).map((key) => ({
          name: key,
          data: rows.map((row) => (row as unknown as Record<string, unknown>)[key]),
          ...(typeof (rows[0] as unknown as Record<string, unknown>)[key] === 'string'
            ? { type: 'STRING' as const }
            : { type: 'JSON' as const }),
        }));
        writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData })));
        expect(await read(new DataFiles(), path, 'source')).to.deep.include(expected);
      });
    }

    it('name the line that is no question', () => {
      const error = failure(() => setOf(readHotpot, write(`${lines(hotpotRows)}\n{"question": "x"`)));
      expect(error.place).to.match(/\.json:4$/);
      const other = failure(() => setOf(readHotpot, write(lines([hotpotRows[0], { question: 'x' }]))));
      expect(other.place).to.match(/\.json:3$/);
    });
  });

  const qa = { question: 'Why?', is_impossible: false, answers: [{ text: 'so' }] };
  const squad = (paragraph: unknown) => ({ data: [{ paragraphs: [] }, { paragraphs: [paragraph] }] });
  const squadFaults: [string, unknown, RegExp, RegExp?][] = [
    ['cut', '{"data": [{"para', /expected JSON/],
    ['of another form', [1], /expected object/i, /:\[0\]$/],
    ['without questions', { data: [] }, /at least one question that has an answer/],
    ['without context', squad({ qas: [qa] }), /paragraphs\.0\.context/, /:data\[1\]$/],
    [
      'without answers',
      squad({ context: 'x', qas: [{ ...qa, answers: [] }] }),
      /qas\.0\.answers/,
      /:data\[1\]$/,
    ],
    ['of version 1', squad({ context: 'x', qas: [{ question: 'Why?', answers: [] }] }), /is_impossible/],
    ['with numbers', squad({ context: 'x', qas: [{ ...qa, answers: [{ text: 5 }] }] }), /answers\.0\.text/],
  ];
  for (const [what, content, message, place = /\.json$/] of squadFaults) {
    it(`SQuAD ${what}: an error with its place`, () => {
      const path = write(content);
      const error = failure(() => setOf(readSquad, path));
      expect(error.message).to.match(message);
      expect(error.place).to.match(what === 'of version 1' || what === 'with numbers' ? /data\[1\]$/ : place);
    });
  }

  const entry = { question: 'Why?', answer: 'so', context: [['A', ['a.']]] };
  const hotpotFaults: [string, unknown, RegExp, RegExp][] = [
    ['of another form', { data: [] }, /expected array/i, /\.json$/],
    ['empty', [], /at least one question/, /\.json$/],
    ['without an answer', [entry, { ...entry, answer: '' }], /answer/, /:\[1\]$/],
    ['without documents', [{ ...entry, context: [] }], /context/, /:\[0\]$/],
    ['with flat documents', [{ ...entry, context: [['A', 'a.']] }], /context\.0\.1/, /:\[0\]$/],
  ];
  for (const [what, content, message, place] of hotpotFaults) {
    it(`HotpotQA ${what}: an error with its place`, () => {
      const path = write(content);
      const error = failure(() => setOf(readHotpot, path));
      expect(error.message).to.match(message);
      expect(error.place).to.match(place);
    });
  }
});
