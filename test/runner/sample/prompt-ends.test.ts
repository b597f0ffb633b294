import { expect } from 'chai';
import * as z from 'zod';
import { remakePrompts } from '../../../src/runner/sample/prompt-ends.js';
import { TaskOpener } from '../../../src/experiment/task-opener.js';
import { oneQuestion } from '../../../src/tasks/one-question.js';
import type { Task } from '../../../src/tasks/types.js';
import { cell, full, manifest } from '../../results/support.js';

const params = z.strictObject({ words: z.array(z.string()) });
const task: Task<z.infer<typeof params>> = {
  name: 'ruler/one',
  family: 'ruler',
  summary: '',
  source: '',
  params,
  open: ({ words }) => ({
    digest: '',
    sample: (index) =>
      oneQuestion({
        context: `begin ${'x'.repeat(2000)} `,
        question: words.join('-'),
        answerPrefix: ' end',
        answers: [String(index)],
        maxNewTokens: 1,
      }),
    score: () => 0,
  }),
};
const tasks: ReadonlyMap<string, Task> = new Map([[task.name, task]]);
const info = cell(full, { taskParams: { words: ['a', 'b'] } });
const tokenizer = { digest: 't', encode: () => [], decode: () => '' };
const remake = (answers: [number, string[]][], digest = 't') =>
  remakePrompts(
    { cell: info, answers: new Map(answers), manifest: manifest([info]) },
    { tokenizer: { ...tokenizer, digest } },
    new TaskOpener(tasks, '/'),
  );

describe('runner/prompt-ends', () => {
  it('gives both ends of the prompts that were run', async () => {
    const ends = await remake([[3, ['3']]]);
    const { head, tail, left } = ends.get(3)!;
    expect([ends.size, head.length, tail.length]).to.deep.equal([1, 300, 700]);
    expect(head).to.match(/^begin x/);
    expect(tail).to.match(/ a-b end$/);
    expect(left).to.equal('begin '.length + 2000 + ' a-b end'.length - 1000);
  });

  it('refuses another tokenizer, other answers and a task that is not there', async () => {
    const messageOf = (made: Promise<unknown>): Promise<unknown> =>
      made.then(
        () => 'made',
        (error: unknown) => (error as Error).message,
      );
    expect(await messageOf(remake([[3, ['3']]], 'other'))).to.contain('tokenizer');
    expect(await messageOf(remake([[3, ['4']]]))).to.contain('sample 3 has other answers');
    const none = remakePrompts(
      { cell: info, answers: new Map(), manifest: manifest([info]) },
      { tokenizer },
      new TaskOpener(new Map(), '/'),
    );
    expect(await messageOf(none)).to.contain('no such task');
  });
});
