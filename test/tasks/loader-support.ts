/** Small data sets in temporary folders, and samples from them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';
import { DataFiles } from '../../src/tasks/files/data-files.js';
import type { Prompt } from '../../src/tasks/one-question.js';
import type { OpenTask, Question, Sample, Task, TaskContext } from '../../src/tasks/types.js';

const folders: string[] = [];

/** A new folder with these files: a list is written as JSON lines, a text as it stands. */
export function folderOf(files: Readonly<Record<string, string | readonly unknown[]>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'spark-eval-data-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : jsonLines(content));
  }
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}

export function jsonLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

export function taskNamed<P>(tasks: readonly Task<P>[], name: string): Task<P> {
  const task = tasks.find((candidate) => candidate.name === name);
  if (task === undefined) throw new Error(`no task ${name}`);
  return task;
}

/** For tests that draw often from files that do not change: each is read once. */
export const READ_FILES = new DataFiles();

const CONTEXT: Omit<TaskContext, 'files'> = {
  contextLength: 4096,
  seed: 42,
  countTokens: (text) => Math.ceil(text.length / 4),
};

/** The task on files that nothing has read yet, with the parameters checked as a spec's are. */
export function opened<P>(task: Task<P>, params: unknown = {}, context: Partial<TaskContext> = {}): OpenTask {
  const open = task.open(task.params.parse(params), { ...CONTEXT, files: new DataFiles(), ...context });
  if (open instanceof Promise) throw new Error(`${task.name} opens only in time`);
  return open;
}

/** A sample with its only question, side by side: what a model reads and what is expected of it. */
export function promptOf({ context, questions, plain }: Sample): Prompt {
  expect(questions).to.have.length(1);
  return { context, ...questions[0], ...(plain === undefined ? {} : { plain }) };
}

/** Where needles stand in the index-th sample, per cent. */
export function depthsOf(task: OpenTask, index = 0): readonly number[] {
  const sample = task.sample(index);
  if (sample instanceof Promise) throw new Error('the sample comes only in time');
  return sample.depths ?? [];
}

/** The index-th sample of a task that has it at once. */
export function drawn(task: OpenTask, index = 0): Prompt {
  const sample = task.sample(index);
  if (sample instanceof Promise) throw new Error('the sample comes only in time');
  return promptOf(sample);
}

export function sampleOf<P>(task: Task<P>, params: unknown, index = 0, contextLength = 4096): Prompt {
  const sample = drawn(opened(task, params, { contextLength }), index);
  // what is said ahead of the data is what the samples then say
  const known = task.newTokens?.(task.params.parse(params));
  if (known !== undefined) expect(sample.maxNewTokens).to.equal(known);
  return sample;
}

/** The same of a task that reads asynchronously. */
export async function readSample<P>(
  task: Task<P>,
  params: unknown,
  index = 0,
  context: Partial<TaskContext> = {},
): Promise<Prompt> {
  const open = await task.open(task.params.parse(params), { ...CONTEXT, files: new DataFiles(), ...context });
  return promptOf(await open.sample(index));
}

export function digestOf<P>(task: Task<P>, params: unknown = {}): string {
  return opened(task, params).digest;
}

/** The score of one answer where these are right. */
export function scored(
  { score }: Pick<OpenTask, 'score'>,
  answer: string,
  answers: readonly string[],
  more: Partial<Question> = {},
): number {
  return score(answer, { question: '', answerPrefix: '', maxNewTokens: 1, ...more, answers });
}

/** Prompt and answer prefix as one text. */
export function joined({ context, question, answerPrefix }: Prompt): string {
  return context + question + answerPrefix;
}

/** The UserError that a call raises, as it is printed. */
export function faultOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof UserError) return error.format();
    throw error;
  }
  throw new Error('expected a UserError, nothing was thrown');
}

/** The UserError with which a promise ends. */
export async function failureOf(read: Promise<unknown>): Promise<UserError> {
  try {
    await read;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('expected a UserError, nothing was thrown');
}
