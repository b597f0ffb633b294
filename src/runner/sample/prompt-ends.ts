/**
 * Prompts made again from results: samples are a pure function of task, length, seed and tokenizer.
 *
 * A prompt is shown only where tokenizer and data are the recorded ones and the answers agree. Only its ends are kept.
 */
import { UserError } from '../../base/errors.js';
import type { ModelFiles } from '../../checkpoint/types.js';
import type { CellInfo, Manifest } from '../../results/types.js';
import type { Sample, Task } from '../../tasks/types.js';
import { countsOf, TaskOpener } from '../../experiment/task-opener.js';

export interface PromptEnds {
  readonly head: string;
  readonly tail: string;
  /** Characters between them. */
  readonly left: number;
}

/** Samples of one task, context and seed that were run. */
export interface RecordedSamples {
  readonly cell: CellInfo;
  /** Recorded answers by sample. */
  readonly answers: ReadonlyMap<number, readonly string[]>;
  readonly manifest: Pick<Manifest, 'models' | 'data'>;
}

/** Characters kept of a prompt's beginning and of its end. */
const HEAD = 300;
const TAIL = 700;

/**
 * The ends of every recorded sample's prompt, without the chat template around it.
 *
 * @param files the model of the cell, open
 * @throws UserError where the task, its data or the tokenizer are not what was recorded
 */
export async function remakePrompts(
  { cell, answers, manifest }: RecordedSamples,
  files: Pick<ModelFiles, 'tokenizer'>,
  opener: TaskOpener,
): Promise<Map<number, PromptEnds>> {
  const refuse = (message: string): never => {
    throw new UserError(message, {
      place: `${cell.task}, ${cell.model}`,
      hint: 'Without --prompts the report needs neither models nor data.',
    });
  };
  const task = opener.tasks.get(cell.task) ?? refuse('this version of spark-eval has no such task');
  const params = paramsOf(cell, task) ?? refuse('the recorded parameters are not those of the task');
  const recorded = manifest.models.find(({ name }) => name === cell.model);
  if (recorded?.tokenizerDigest !== files.tokenizer.digest)
    refuse('the tokenizer is not the one that was used');
  const { context, seed } = cell;
  const opened = await opener.open(
    { task: task.name, taskParams: params, context, seed },
    countsOf(files.tokenizer),
  );
  const ends = new Map<number, PromptEnds>();
  for (const [index, expected] of answers) {
    const sample = await opened.sample(index);
    const [{ answers: found }] = sample.questions;
    if (found.length !== expected.length || found.some((answer, i) => answer !== expected[i])) {
      refuse(`sample ${index} has other answers now than it had: its data or its generator have changed`);
    }
    ends.set(index, endsOf(sample));
  }
  return ends;
}

/** Values that are no plain ones are recorded as JSON; which they are, the task's own schema says. */
function paramsOf({ params }: CellInfo, { params: schema }: Task): unknown {
  const own = Object.entries(params)
    .filter(([name]) => name.startsWith('task.'))
    .map(([name, value]) => [name.slice('task.'.length), value] as const);
  const plain = schema.safeParse(Object.fromEntries(own));
  if (plain.success) return plain.data;
  const parsed = schema.safeParse(Object.fromEntries(own.map(([name, value]) => [name, fromJson(value)])));
  return parsed.success ? parsed.data : undefined;
}

function fromJson(value: string | number | boolean): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function endsOf({ context, questions: [{ question, answerPrefix }] }: Sample): PromptEnds {
  const text = context + question + answerPrefix;
  if (text.length <= HEAD + TAIL) return { head: text, tail: '', left: 0 };
  return { head: text.slice(0, HEAD), tail: text.slice(-TAIL), left: text.length - HEAD - TAIL };
}
