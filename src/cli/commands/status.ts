/**
 * `spark-eval status SPEC.yaml`: what is done and what is missing.
 *
 * Anything missing is exit code 3, so that a script can wait for a run.
 */
import type { Command } from 'commander';
import { type Align, alignColumns } from '../../report/text-table.js';
import { taskLabel } from '../../experiment/label.js';
import { readSpecState } from '../catalogue.js';
import { plural } from '../format.js';
import { leftOutLines } from '../left-out.js';
import {
  addSpec,
  jsonOption,
  type JsonOptions,
  shardOption,
  type ShardOptions,
  type SpecOptions,
} from '../options.js';
import type { Session } from '../session.js';

type StatusOptions = SpecOptions & ShardOptions & JsonOptions;

export function addStatus(root: Command, session: Session): void {
  addSpec(
    root
      .command('status')
      .description('show what is complete and what is missing; exit code 3 while anything is'),
  )
    .addOption(shardOption())
    .addOption(jsonOption())
    .action((file: string, options: StatusOptions) => status(file, options, session));
}

async function status(file: string, options: StatusOptions, session: Session): Promise<void> {
  const { spec, state } = await readSpecState(file, options);
  const complete = state.done === state.total && !state.lacksLatency;
  if (!complete) session.exitCode = 3;
  if (options.json === true) {
    session.printJson({
      name: spec.name,
      output: spec.output,
      complete,
      done: state.done,
      total: state.total,
      ...(spec.latency === undefined ? {} : { latency: !state.lacksLatency }),
      leftOut: state.leftOut.results,
      changedModels: state.changedModels,
      cells: state.cells.map(({ group, pipeline, samples, done }) => ({
        ...group,
        samples,
        pipeline,
        done,
        missing: samples - done,
      })),
    });
    return;
  }
  const header = ['', 'model', 'task', 'context', 'seed', 'question', 'pipeline', 'done'];
  const rows = state.cells.map(({ group, pipeline, samples, done }) => [
    done === samples ? 'complete' : 'missing',
    group.model,
    taskLabel(group.task, group.taskParams, spec.registry.tasks),
    String(group.context),
    String(group.seed),
    group.question,
    pipeline,
    `${done}/${samples}`,
  ]);
  const align = header.map((_, column): Align => ([3, 4, 7].includes(column) ? 'right' : 'left'));
  session.print(alignColumns([header, ...rows], align).join('\n'));
  session.print(`\n${state.done} of ${plural(state.total, 'result')} in ${spec.output}`);
  if (state.lacksLatency) session.print('latencies are still to be measured');
  for (const line of leftOutLines(state.leftOut)) session.print(line);
  for (const model of state.changedModels) {
    session.note(
      `files of ${model} have changed since; a run compares their digests, and goes on only where they are the same`,
    );
  }
}
