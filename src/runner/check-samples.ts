/**
 * Samples that a run will need, looked at ahead of it: a context that is too short for one of them, a file with too few rows,
 * or answers that cannot be scored, stop a run before its first prefill and not hours later.
 *
 * Where a task can tell without making a sample, one is made and the others are checked; else all are made.
 */
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import type { ModelFiles } from '../checkpoint/types.js';
import type { ResolvedSpec, TaskCell } from '../experiment/types.js';
import { countsOf, type TaskOpener } from '../experiment/task-opener.js';
import { scoreAnswer } from '../tasks/score-answer.js';
import { ContextTooShort } from '../tasks/too-short.js';
import type { OpenTask, TaskContext } from '../tasks/types.js';
import type { Job } from './job.js';
import { expectRoom } from './prompt.js';

type Files = Pick<ModelFiles, 'name' | 'tokenizer' | 'chatTemplate' | 'config'>;

/** Samples between two turns of the event loop, in which an interrupt is heard. */
const AT_ONCE = 16;

/**
 * Looks at the samples of what is to run.
 *
 * @param jobs in the order of their samples
 * @param models by the name that the spec gives them
 * @throws UserError of the first sample that cannot be had, with its row, else with the spec's file; where a context is too
 * short, the error says one into which all samples of its group fit
 */
export async function checkSamples(
  spec: Pick<ResolvedSpec, 'file' | 'groups'>,
  jobs: readonly Pick<Job, 'group' | 'sample'>[],
  models: ReadonlyMap<string, Files>,
  opener: TaskOpener,
  signal?: AbortSignal,
): Promise<void> {
  const asked = new Map<number, Set<number>>();
  for (const { group, sample } of jobs) {
    const samples = asked.get(group) ?? new Set();
    asked.set(group, samples.add(sample));
  }
  for (const [index, samples] of asked) {
    const group = spec.groups[index]!;
    try {
      await checkGroup(group, [...samples], models.get(group.model)!, opener, signal);
    } catch (error) {
      throw error instanceof UserError && error.place === undefined ? error.at(spec.file) : error;
    }
  }
}

async function checkGroup(
  group: TaskCell,
  samples: readonly number[],
  files: Files,
  opener: TaskOpener,
  signal: AbortSignal | undefined,
): Promise<void> {
  const counts = countsOf(files.tokenizer);
  const task = await opener.open(group, counts);
  // The last first: where a file has too few rows, it tells at once.
  const ordered = [samples.at(-1)!, ...samples.slice(0, -1)];
  try {
    for (const [turn, index] of ordered.entries()) {
      if (turn % AT_ONCE === AT_ONCE - 1) await setImmediate();
      signal?.throwIfAborted();
      if (task.check === undefined || index === samples[0]) await checkMade(task, index, group, files);
      else task.check(index);
    }
  } catch (error) {
    if (!(error instanceof ContextTooShort)) throw error;
    const fits = await contextForAll(group, counts, opener, error.needs);
    throw new UserError(error.message, {
      hint: `All ${group.samples} samples of the spec fit into context: ${fits}.`,
      exitCode: 2,
    });
  }
}

async function checkMade(task: OpenTask, index: number, group: TaskCell, files: Files): Promise<void> {
  const sample = await task.sample(index);
  for (const question of sample.questions) {
    scoreAnswer(task, '', question, { name: group.task, index, place: sample.place });
  }
  expectRoom(files, sample, group.question, group.maxContext);
}

/** A context length into which every sample of the group fits: another length draws other samples, so each is tried. */
async function contextForAll(
  group: TaskCell,
  countTokens: TaskContext['countTokens'],
  opener: TaskOpener,
  least: number,
): Promise<number> {
  let [context, tried] = [least, 0];
  while (tried < context) {
    tried = context;
    const task = await opener.open({ ...group, context }, countTokens);
    for (let index = 0; index < group.samples; index++) {
      try {
        if (task.check === undefined) await task.sample(index);
        else task.check(index);
      } catch (error) {
        if (!(error instanceof ContextTooShort)) throw error;
        context = Math.max(context, error.needs);
      }
    }
  }
  return context;
}
