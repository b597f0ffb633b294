/** Small data sets in temporary folders, and samples from them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import type { Sample, Task } from '../../src/tasks/types.js';

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

/** The index-th sample, with the parameters checked as a spec's are. */
export function sampleOf<P>(task: Task<P>, params: unknown, index = 0, contextLength = 4096): Sample {
  return task.sample({
    contextLength,
    seed: 42,
    index,
    params: task.params.parse(params),
    countTokens: (text) => Math.ceil(text.length / 4),
  });
}

/** Prompt and answer prefix as one text. */
export function joined({ context, question, answerPrefix }: Sample): string {
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
