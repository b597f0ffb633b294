/**
 * The data behind `spark-eval plot --kind saliency`: one prompt through a model, one head measured.
 *
 * The prompt is a sample of a task with its default parameters, as a run would send it.
 */
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import type { SaliencyData } from '../report/plots/saliency.js';
import type { Plot } from '../report/plots/types.js';
import type { Task } from '../tasks/types.js';

export interface SaliencyOptions {
  readonly model?: string;
  readonly task: string;
  readonly context: number;
  readonly seed: number;
  readonly sample: number;
  readonly layer: number;
  readonly head: number;
  readonly engine: EngineName | 'auto';
}

/** Tokens that are drawn, and the ratio behind "tokens that keep it". */
const ROWS = 64;
const RATIO = 0.8;

/** Measures and plots. Throws UserError (exit code 2) where model, task, layer or head are not there. */
export async function saliencyOf(options: SaliencyOptions): Promise<{ data: SaliencyData; plot: Plot }> {
  const { model: name, task, context, seed, sample, layer, head } = options;
  if (name === undefined) {
    throw new UserError('--kind saliency needs a model', {
      place: '--model',
      hint: 'spark-eval list models',
      exitCode: 2,
    });
  }
  const [{ openModelFiles }, { openEngine }, { Transformer }, { expectModelFits }] = await Promise.all([
    import('../checkpoint/load.js'),
    import('../engine/index.js'),
    import('../model/transformer.js'),
    import('../runner/models.js'),
  ]);
  const [{ countsOf, TaskOpener }, { buildSegments }, { measureSaliency }, { saliencyPlot }] =
    await Promise.all([
      import('../experiment/task-opener.js'),
      import('../runner/sample/prompt.js'),
      import('../runner/sample/saliency.js'),
      import('../report/plots/saliency.js'),
    ]);
  const known = await taskOf(task);
  const files = await openModelFiles(name);
  try {
    const group = { task, taskParams: defaultsOf(known), context, seed };
    const opened = await new TaskOpener(new Map([[known.name, known]]), process.cwd()).open(
      group,
      countsOf(files.tokenizer),
    );
    const { contextIds } = buildSegments(files, await opened.sample(sample), 'compressed');
    const engine = await openEngine(options.engine);
    expectModelFits(engine, files.config);
    const model = Transformer.load(engine, files);
    try {
      const measured = await measureSaliency(model, contextIds, { layer, head, ratio: RATIO, rows: ROWS });
      const data = { model: name, task, context, seed, sample, layer, head, ratio: RATIO, ...measured };
      return { data, plot: saliencyPlot(data) };
    } finally {
      model.dispose();
    }
  } finally {
    files.weights.close();
  }
}

/** Throws UserError (exit code 2) where a task cannot be run without parameters. */
function defaultsOf({ name, params }: Task): unknown {
  const parsed = params.safeParse({});
  if (parsed.success) return parsed.data;
  throw new UserError(`${name} needs parameters of its own, such as the place of its data`, {
    place: '--task',
    hint: 'Choose a task that is generated here, e.g. ruler/niah_single_1.',
    exitCode: 2,
  });
}

async function taskOf(name: string): Promise<Task> {
  const [{ builtIn }, { didYouMean }] = await Promise.all([
    import('../registry/registry.js'),
    import('../base/did-you-mean.js'),
  ]);
  const { tasks } = builtIn;
  const task = tasks.get(name);
  if (task !== undefined) return task;
  throw new UserError(`unknown task "${name}".${didYouMean(name, [...tasks.keys()])}`, {
    place: '--task',
    hint: 'spark-eval list tasks',
    exitCode: 2,
  });
}
