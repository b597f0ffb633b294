import { join } from 'node:path';
import { expect } from 'chai';
import * as z from 'zod';
import { UserError } from '../../../src/base/errors.js';
import type { ModelConfig, ModelFiles } from '../../../src/checkpoint/types.js';
import { TaskOpener } from '../../../src/experiment/task-opener.js';
import type { TaskCell } from '../../../src/experiment/types.js';
import { checkSamples } from '../../../src/runner/sample/check-samples.js';
import { oneQuestion } from '../../../src/tasks/one-question.js';
import { tasks as knownTasks } from '../../../src/tasks/built-in.js';
import { ContextTooShort } from '../../../src/tasks/too-short.js';
import type { OpenTask, Task } from '../../../src/tasks/types.js';
import { folderOf, removeFolders } from '../../tasks/loader-support.js';
import { HOTPOT } from '../../tasks/ruler/support.js';

describe('samples looked at ahead of a run', () => {
  const POSITIONS = 400;
  const models = new Map([
    [
      'm',
      {
        name: 'm',
        tokenizer: { encode: (text: string) => Array.from(text.matchAll(/\S+/g), () => 1) },
        chatTemplate: undefined,
        config: { maxPositions: POSITIONS } as ModelConfig,
      } as unknown as ModelFiles,
    ],
  ]);
  const ROWS = 10;
  let made: string[];
  let checked: string[];

  /** Sample i of a generator needs 100 + 3·i tokens, and one more in a longer context. */
  const needs = (context: number, index: number): number => 100 + 3 * index + (context > 110 ? 1 : 0);
  const sample = oneQuestion({
    context: '',
    question: '',
    answerPrefix: '',
    answers: ['x'],
    maxNewTokens: 1,
  });
  const facts = { family: 'f', summary: '', source: '', params: z.unknown() };
  const generated: Task = {
    ...facts,
    name: 'generated',
    open: (_, { contextLength, countTokens }) => {
      const check = (index: number): void => {
        let works = contextLength;
        while (needs(works, index) > works) works = needs(works, index);
        if (works > contextLength) throw new ContextTooShort(`sample ${index} fits into ${works}`, works, '');
      };
      return {
        digest: '',
        score: () => 0,
        check: (index) => {
          checked.push(`${contextLength} #${index}`);
          check(index);
        },
        sample: (index) => {
          made.push(`${contextLength} #${index}`);
          expect(countTokens('1 2 3')).to.equal(3);
          check(index);
          return sample;
        },
      };
    },
  };
  const rows = (score: OpenTask['score'] = () => 0): Task => ({
    ...facts,
    name: 'rows',
    ignores: ['seed', 'context'],
    open: () => ({
      digest: '',
      rows: ROWS,
      score,
      sample: (index) => {
        made.push(`rows #${index}`);
        if (index >= ROWS) throw new UserError('too few rows');
        return { ...sample, place: `my.jsonl:${index + 1}` };
      },
    }),
  });
  const group = (task: string, context: number, more: Partial<TaskCell> = {}): TaskCell => ({
    ...{ model: 'm', task, taskParams: {}, context, seed: 1, samples: 4, question: 'compressed' as const },
    ...more,
  });
  const jobs = (index: number, ...samples: number[]) =>
    samples.map((each) => ({ group: index, sample: each }));
  const check = (groups: readonly TaskCell[], missing: ReturnType<typeof jobs>, tasks?: readonly Task[]) =>
    checkSamples(
      {
        spec: { file: 'spec.yaml', groups },
        models,
        opener: new TaskOpener(new Map((tasks ?? [generated, rows()]).map((task) => [task.name, task])), '/'),
      },
      missing,
    );
  const fault = async (...args: Parameters<typeof check>): Promise<string> => {
    try {
      await check(...args);
    } catch (error) {
      if (error instanceof UserError) return error.format();
      throw error;
    }
    return 'none';
  };
  beforeEach(() => {
    [made, checked] = [[], []];
  });
  after(removeFolders);

  it('are the first of a generator, whose others are checked, and all rows of a file, of what is missing', async () => {
    await check(
      [group('generated', 200), group('rows', 50), group('generated', 10)],
      [...jobs(0, 1, 2, 3), ...jobs(1, 0, 2, 9)],
    );
    expect(made).to.deep.equal(['200 #1', 'rows #9', 'rows #0', 'rows #2']);
    expect(checked).to.deep.equal(['200 #3', '200 #2']);
  });

  it('stop at any sample that does not fit, and say a context into which all do', async () => {
    expect(await fault([group('generated', 104)], jobs(0, 0, 1, 2))).to.equal(
      'spec.yaml  sample 2 fits into 106\n  All samples that the spec asks for at 104 fit into context: 109.',
    );
    expect(await fault([group('generated', 109)], jobs(0, 0, 1, 2, 3))).to.equal('none');
    // The longer context draws longer samples.
    expect(await fault([group('generated', 109, { samples: 5 })], jobs(0, 4))).to.include('context: 113.');
    expect(await fault([group('generated', 113, { samples: 5 })], jobs(0, 0, 4))).to.equal('none');
  });

  it('of all groups of that length fit where the hint says', async () => {
    const groups = [group('generated', 104), group('rows', 104), group('generated', 104, { samples: 9 })];
    expect(await fault(groups, [...jobs(0, 2), ...jobs(2, 0)])).to.include('fit into context: 125.');
  });

  it('of real tasks fit where the hint says', async () => {
    const known = [...knownTasks.values()];
    for (const [task, taskParams] of [
      ['ruler/niah_multikey_1', {}],
      ['ruler/cwe', {}],
      ['ruler/vt', {}],
      ['ruler/fwe', {}],
      ['ruler/qa_2', { file: HOTPOT }],
      ['needle/map', { depth: 50, needles: 2, haystack: 'essay' }],
      ['recite/list', {}],
    ] as const) {
      const asked = (context: number) => group(task, context, { taskParams, samples: 4 });
      const [, hint] = /fit into context: (\d+)\.$/.exec(await fault([asked(20)], jobs(0, 0), known))!;
      const all = jobs(0, 0, 1, 2, 3);
      const wide = new Map([['m', { ...models.get('m')!, config: { maxPositions: 4000 } as ModelConfig }]]);
      const opener = new TaskOpener(knownTasks, '/');
      await checkSamples({ spec: { file: 's', groups: [asked(Number(hint))] }, models: wide, opener }, all);
    }
  });

  it('stop at answers that the scorer cannot read, and say of which row', async () => {
    const unscorable = rows((_, { answers }) => {
      throw new UserError(`expected a number, found ${answers[0]!}`);
    });
    expect(await fault([group('rows', 1)], jobs(0, 3), [unscorable])).to.equal(
      'my.jsonl:4  expected a number, found x',
    );
  });

  it('stop at a row with more tokens to generate than the model has positions, and name file, line and field', async () => {
    const row = { context: 'a b c', question: '', answers: ['x'] };
    const lines = [row, { ...row, max_new_tokens: 5000 }, row].map((each) => JSON.stringify(each));
    const file = join(folderOf({ 'late.jsonl': lines.join('\n') }), 'late.jsonl');
    const own = group('own/f1', 1, { taskParams: { file, max_new_tokens: 8 } });
    expect(await fault([own], jobs(0, 0, 1, 2), [...knownTasks.values()])).to.equal(
      `${file}:2  max_new_tokens: the 400 positions of m have no room for a context beside 5000 tokens to generate and 0 behind the context\n  Use at most max_new_tokens: 398; less leaves more of the context.`,
    );
    // A limit of the spec counts alone, as the tables' own protocol has it.
    expect(await fault([{ ...own, maxContext: 100 }], jobs(0, 1), [...knownTasks.values()])).to.equal('none');
  });

  it('stop at a file with too few rows before all others are read', async () => {
    expect(await fault([group('rows', 1)], jobs(0, 0, 1, ROWS - 1))).to.equal('none');
    made = [];
    expect(await fault([group('rows', 1)], jobs(0, 0, 1, ROWS))).to.equal('spec.yaml  too few rows');
    expect(made).to.deep.equal([`rows #${ROWS}`]);
  });

  it('are none where nothing is missing', async () => {
    expect(await fault([group('generated', 1)], [])).to.equal('none');
    expect(made).to.deep.equal([]);
  });
});
