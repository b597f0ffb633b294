/**
 * `spark-eval calibrate MODEL`: finds the weights that a low-rank method runs on, ahead of a run.
 *
 * A run does the same on demand and finds what is kept here; an interrupt leaves finished weights and nothing half-done.
 */
import { type Command, Option } from 'commander';
import type { EngineName } from '../../engine/types.js';
import type { CalibrationRun } from '../../calibration/recalkv.js';
import type { WeightsRequest } from '../../methods/types.js';
import type { LowRankFactors } from '../../model/low-rank.js';
import type { ModelConfig } from '../../checkpoint/types.js';
import { requestsOfParams, requestsOfSpec } from '../calibrate-requests.js';
import { shellCommand } from '../format.js';
import { onInterrupt } from '../interrupt.js';
import { engineOption, jsonOption, type JsonOptions, progressOption } from '../options.js';
import type { ProgressForm } from '../progress.js';
import type { Session } from '../session.js';

interface CalibrateOptions extends JsonOptions {
  readonly param: readonly string[];
  readonly spec?: string;
  readonly engine: EngineName | 'auto';
  readonly progress: ProgressForm;
}

export function addCalibrate(root: Command, session: Session): void {
  root
    .command('calibrate')
    .description('find the low-rank weights of recalkv for a model and keep them; prints their folders')
    .argument('<model>', 'a name of the catalogue, a checkpoint folder or a .gguf file')
    .addOption(
      new Option(
        '--param <name=value>',
        'a parameter of recalkv, e.g. --param ratio=0.5; a list is a sweep (repeatable; spark-eval show recalkv)',
      )
        .default([], 'none')
        .argParser((value: string, previous: string[]) => [...previous, value]),
    )
    .addOption(
      new Option('--spec <file>', 'take the parameters of every recalkv step of a spec').conflicts('param'),
    )
    .addOption(engineOption())
    .addOption(progressOption())
    .addOption(jsonOption())
    .action((model: string, options: CalibrateOptions) => calibrateModel(model, options, session));
}

async function calibrateModel(name: string, options: CalibrateOptions, session: Session): Promise<void> {
  const requests =
    options.spec === undefined ? await requestsOfParams(options.param) : await requestsOfSpec(options.spec);
  const interrupt = onInterrupt(session, 'weights that are finished are kept');
  try {
    await calibrateAll(name, requests, options, session, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    session.exitCode = 130;
    session.note(`  Go on with: ${shellCommand(['spark-eval', ...session.args])}`);
  } finally {
    interrupt.stop();
  }
}

/** Throws the reason of the signal where it stopped the work. */
async function calibrateAll(
  name: string,
  requests: readonly WeightsRequest[],
  options: CalibrateOptions,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const [{ calibrate }, { openEngine }, { openModelFiles }, { checkLowRankModel }] = await Promise.all([
    import('../../calibration/recalkv.js'),
    import('../../engine/index.js'),
    import('../../checkpoint/load.js'),
    import('../../model/low-rank.js'),
  ]);
  const [{ Transformer }, { expectModelFits }, { createProgress }] = await Promise.all([
    import('../../model/transformer.js'),
    import('../../runner/models.js'),
    import('../progress.js'),
  ]);
  const files = await openModelFiles(name);
  const progress = createProgress(options.progress, session.stderr);
  try {
    checkLowRankModel(files.config, name);
    const engine = await openEngine(options.engine);
    expectModelFits(engine, files.config);
    const model = Transformer.load(engine, files);
    try {
      const knownScores: CalibrationRun['knownScores'] = new Map();
      const made: (WeightsRequest & { readonly folder: string; readonly kept: boolean })[] = [];
      progress.start(requests.length, `calibrating ${name}`);
      for (const request of requests) {
        const { factors, folder, kept } = await calibrate({
          model,
          files,
          request,
          knownScores,
          onPhase: (phase) => {
            progress.phase(phase);
          },
          log: (line) => {
            progress.log(line);
          },
          signal,
        });
        progress.tick(1, request.kind);
        progress.log(`${kept ? 'was kept already' : 'done'}: ${describe(factors, files.config)}`);
        if (options.json === true) made.push({ ...request, folder, kept });
        else session.print(folder);
      }
      if (options.json === true) session.printJson(made);
    } finally {
      progress.stop();
      model.dispose();
    }
  } finally {
    files.weights.close();
  }
}

/** `1024 of 2048 channels per token stay (50.0 % removed)`. */
function describe({ layers }: LowRankFactors, { kvHeads, headDim }: ModelConfig): string {
  const ranks = layers.flatMap(({ keys, values }) => [...keys, ...values].map(({ rank }) => rank));
  const kept = ranks.reduce((a, b) => a + b, 0);
  const full = 2 * layers.length * kvHeads * headDim;
  return `${kept} of ${full} channels per token stay (${(100 * (1 - kept / full)).toFixed(1)} % removed)`;
}
