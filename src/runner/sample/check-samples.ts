/**
 * Samples that a run will need, looked at ahead of it: a context that is too short for one of them, a file with too few rows,
 * or answers that cannot be scored, stop a run before its first prefill and not hours later.
 *
 * Where a task can tell without making a sample, one is made and the others are checked; else all are made.
 */
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../../base/errors.js';
import type { ModelFiles } from '../../checkpoint/types.js';
import type { ResolvedSpec, TaskCell } from '../../experiment/types.js';
import { countsOf, type TaskOpener } from '../../experiment/task-opener.js';
import { scoreAnswer } from '../../tasks/score-answer.js';
import { ContextTooShort } from '../../tasks/too-short.js';
import type { OpenTask, Sample, TaskContext } from '../../tasks/types.js';
import { ControlTokens } from './control-tokens.js';
import type { Job } from '../jobs.js';
import { expectRoom } from './prompt.js';
import { FurthestReach } from './reach.js';

type Files = Pick<ModelFiles, 'name' | 'tokenizer' | 'chatTemplate' | 'config'>;

/** Samples between two turns of the event loop, in which an interrupt is heard. */
const AT_ONCE = 16;

/** What samples are made of: a spec whose models are open. */
interface Checked {
  readonly spec: Pick<ResolvedSpec, 'file' | 'groups'>;
  /** By the name that the spec gives them. */
  readonly models: ReadonlyMap<string, Files>;
  readonly opener: TaskOpener;
}

/**
 * Looks at the samples of what is to run.
 *
 * @param jobs in the order of their samples
 * @returns what a user should know of them, a sentence each
 * @throws UserError of the first sample that cannot be had, with its row, else with the spec's file; where a context is too
 * short, the error says one into which all samples of its group fit
 */
export async function checkSamples(
  checked: Checked,
  jobs: readonly Pick<Job, 'group' | 'sample'>[],
  signal?: AbortSignal,
): Promise<string[]> {
  const { file, groups } = checked.spec;
  const remarks = new Set<string>();
  const asked = new Map<number, Set<number>>();
  for (const { group, sample } of jobs) {
    const samples = asked.get(group) ?? new Set();
    asked.set(group, samples.add(sample));
  }
  for (const [index, samples] of asked) {
    try {
      for (const remark of await checkGroup(groups[index]!, [...samples], checked, signal))
        remarks.add(remark);
    } catch (error) {
      throw error instanceof UserError && error.place === undefined ? error.at(file) : error;
    }
  }
  return [...remarks];
}

async function checkGroup(
  group: TaskCell,
  samples: readonly number[],
  checked: Checked,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { opener, models } = checked;
  const files = models.get(group.model)!;
  const task = await opener.open(group, countsOf(files.tokenizer));
  const controls = new ControlTokens(files.tokenizer);
  const furthest = new FurthestReach(files, group);
  // The last first: where a file has too few rows, it tells at once.
  const ordered = [samples.at(-1)!, ...samples.slice(0, -1)];
  try {
    for (const [turn, index] of ordered.entries()) {
      if (turn % AT_ONCE === AT_ONCE - 1) await setImmediate();
      signal?.throwIfAborted();
      if (task.check === undefined || index === samples[0]) {
        const sample = await checkMade(task, index, group, files);
        controls.look(sample);
        furthest.look(sample);
      } else task.check(index);
    }
  } catch (error) {
    if (!(error instanceof ContextTooShort)) throw error;
    const fits = await contextForAll(group, checked, error.needs, signal);
    throw new UserError(error.message, {
      hint: `All samples that the spec asks for at ${group.context} fit into context: ${fits}.`,
      exitCode: 2,
    });
  }
  return [controls.remark(group.task, group.model), furthest.remark()].filter(
    (remark) => remark !== undefined,
  );
}

async function checkMade(task: OpenTask, index: number, group: TaskCell, files: Files): Promise<Sample> {
  const sample = await task.sample(index);
  for (const question of sample.questions) {
    scoreAnswer(task, '', question, { name: group.task, index, place: sample.place });
  }
  expectRoom(files, sample, group.question, group.maxContext);
  return sample;
}

/**
 * A context length into which every sample fits of all groups that have the same one. Another length draws other samples, so
 * each is tried.
 */
async function contextForAll(
  { context: asked }: TaskCell,
  { spec, models, opener }: Checked,
  least: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const alike = spec.groups.filter(
    ({ context, task }) => context === asked && opener.tasks.get(task)!.ignores?.includes('context') !== true,
  );
  let [context, tried] = [least, 0];
  while (tried < context) {
    tried = context;
    for (const group of alike) {
      const needs = await leastContext(
        { ...group, context: tried },
        countsOf(models.get(group.model)!.tokenizer),
        opener,
      );
      context = Math.max(context, needs);
      signal?.throwIfAborted();
    }
  }
  return context;
}

/** Of the samples that are drawn for the group's context; that of a task which has other faults is left to its own error. */
async function leastContext(
  group: TaskCell,
  countTokens: TaskContext['countTokens'],
  opener: TaskOpener,
): Promise<number> {
  let least = group.context;
  try {
    const task = await opener.open(group, countTokens);
    for (let index = 0; index < group.samples; index++) {
      if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
      try {
        if (task.check === undefined) await task.sample(index);
        else task.check(index);
      } catch (error) {
        if (!(error instanceof ContextTooShort)) throw error;
        least = Math.max(least, error.needs);
      }
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return least;
}
