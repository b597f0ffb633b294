import { expect } from 'chai';
import * as z from 'zod';
import { UserError } from '../../src/base/errors.js';
import { checkSamples } from '../../src/runner/check-samples.js';
import type { ModelFiles } from '../../src/checkpoint/types.js';
import type { TaskCell } from '../../src/experiment/types.js';
import { TaskOpener } from '../../src/experiment/task-opener.js';
import { oneQuestion } from '../../src/tasks/one-question.js';
import type { OpenTask, Task } from '../../src/tasks/types.js';

describe('samples made ahead of a run', () => {
  const models = new Map([
    [
      'm',
      { tokenizer: { encode: (text: string) => text.split(' ').map(Number) } as ModelFiles['tokenizer'] },
    ],
  ]);
  const LEAST = 100;
  const ROWS = 10;
  let made: string[];

  const task = (
    name: string,
    check: (request: { contextLength: number; index: number }) => void,
    { score = () => 0, ...more }: Partial<Task> & Partial<Pick<OpenTask, 'score'>> = {},
  ): Task => ({
    ...{
      name,
      family: 'f',
      summary: '',
      source: '',
      params: z.unknown(),
    },
    open: (_, { contextLength, countTokens }) => ({
      digest: '',
      score,
      sample: (index) => {
        made.push(`${name} ${contextLength} #${index}`);
        check({ contextLength, index });
        expect(countTokens('1 2 3')).to.equal(3);
        return oneQuestion({ context: '', question: '', answerPrefix: '', answers: [], maxNewTokens: 1 });
      },
    }),
    ...more,
  });
  const tasks = new Map(
    [
      task('generated', ({ contextLength }) => {
        if (contextLength < LEAST) throw new UserError('too short');
      }),
      task(
        'rows',
        ({ index }) => {
          if (index >= ROWS) throw new UserError('too few rows');
        },
        { ignores: ['seed'] },
      ),
    ].map((known) => [known.name, known]),
  );
  const group = (name: string, context: number): TaskCell => ({
    ...{
      model: 'm',
      task: name,
      taskParams: {},
      context,
      seed: 1,
      samples: 20,
      question: 'compressed' as const,
    },
  });
  const jobs = (index: number, ...samples: number[]) => samples.map((sample) => ({ group: index, sample }));
  const check = (groups: readonly TaskCell[], missing: ReturnType<typeof jobs>) =>
    checkSamples({ file: 'spec.yaml', groups }, missing, models, new TaskOpener(tasks));
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
    made = [];
  });

  it('are the first of a generator, the first and the last of the rows of a file, of what is missing', async () => {
    await check(
      [group('generated', 200), group('rows', 50), group('generated', 10)],
      [...jobs(0, 3, 4, 5), ...jobs(1, 0, 2, 9)],
    );
    expect(made).to.deep.equal(['generated 200 #3', 'rows 50 #0', 'rows 50 #9']);
  });

  it('stop at answers that the scorer cannot read, and say of which sample', async () => {
    const unscorable = task('unscorable', () => undefined, {
      score: () => {
        throw new UserError('expected a number as the answer');
      },
    });
    try {
      await checkSamples(
        { file: 'spec.yaml', groups: [group('unscorable', 200)] },
        jobs(0, 7),
        models,
        new TaskOpener(new Map([['unscorable', unscorable]])),
      );
    } catch (error) {
      expect((error as UserError).format()).to.equal('unscorable, sample 7  expected a number as the answer');
      return;
    }
    expect.fail('nothing was thrown');
  });

  it('stop at a context that is too short, wherever it stands', async () => {
    const groups = [group('generated', 200), group('generated', LEAST - 1)];
    expect(await fault(groups, [...jobs(0, 0), ...jobs(1, 0)])).to.equal('spec.yaml  too short');
  });

  it('stop at a file with too few rows', async () => {
    expect(await fault([group('rows', 1)], jobs(0, 0, 1, ROWS - 1))).to.equal('none');
    expect(await fault([group('rows', 1)], jobs(0, 0, 1, ROWS))).to.equal('spec.yaml  too few rows');
  });

  it('are none where nothing is missing', async () => {
    expect(await fault([group('generated', 1)], [])).to.equal('none');
    expect(made).to.deep.equal([]);
  });
});
