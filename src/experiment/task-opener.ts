/**
 * The tasks of a run, opened for its groups.
 *
 * One is made per run, so that a file which several groups read is read once.
 */
import type { Tokenizer } from '../checkpoint/types.js';
import { withPaths } from './paths.js';
import { DataFiles } from '../tasks/files/data-files.js';
import type { OpenTask, Task, TaskContext } from '../tasks/types.js';

/** What of a group its samples depend on. */
export interface TaskGroup {
  readonly task: string;
  readonly taskParams: unknown;
  readonly context: number;
  readonly seed: number;
}

export class TaskOpener {
  private readonly files: DataFiles;

  /** @param folder where relative paths of the tasks' parameters start: that of the spec */
  constructor(
    readonly tasks: ReadonlyMap<string, Task>,
    private readonly folder: string,
  ) {
    this.files = new DataFiles(folder);
  }

  /**
   * The task of a group. Its digest and rows can be had without a tokenizer, its samples cannot.
   *
   * @throws UserError where its data is missing or damaged
   */
  async open(
    { task, taskParams, context, seed }: TaskGroup,
    countTokens: TaskContext['countTokens'] = noTokenizer,
  ): Promise<OpenTask> {
    const known = this.tasks.get(task)!;
    return await known.open(withPaths(taskParams, this.folder), {
      contextLength: context,
      seed,
      countTokens,
      files: this.files,
    });
  }
}

/** Counts the tokens of a text as a model reads it. */
export function countsOf(tokenizer: Pick<Tokenizer, 'encode'>): TaskContext['countTokens'] {
  return (text) => tokenizer.encode(text).length;
}

function noTokenizer(): never {
  throw new Error('a task counts tokens in sample(), not in open()');
}
