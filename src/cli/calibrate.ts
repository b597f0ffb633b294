/**
 * `spark-eval calibrate MODEL`: finds the weights that a low-rank method runs on, ahead of a run.
 *
 * Decides how parameters are named on the command line and what is said of the result. A run does the same on demand
 * and finds what is kept here.
 */
import { type Command, Option } from 'commander';
import type { EngineName } from '../engine/types.js';
import { UserError } from '../errors.js';
import type { WeightsRequest } from '../methods/types.js';
import type { LowRankFactors } from '../model/low-rank.js';
import type { ModelConfig } from '../model/types.js';
import { readSpec } from './catalogue.js';
import { engineOption, progressOption } from './options.js';
import type { ProgressForm } from './progress.js';
import type { Session } from './session.js';

interface CalibrateOptions {
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
        'a parameter of recalkv, e.g. --param ratio=0.5 (repeatable; spark-eval show recalkv)',
      )
        .default([], 'none')
        .argParser((value: string, previous: string[]) => [...previous, value]),
    )
    .addOption(
      new Option('--spec <file>', 'take the parameters of every recalkv step of a spec').conflicts('param'),
    )
    .addOption(engineOption())
    .addOption(progressOption())
    .action((model: string, options: CalibrateOptions) => calibrateModel(model, options, session));
}

async function calibrateModel(name: string, options: CalibrateOptions, session: Session): Promise<void> {
  const requests =
    options.spec === undefined ? [await requestOf(options.param)] : await requestsOf(options.spec);
  const [{ calibrate }, { openEngine, checkModelFits }, { openModelFiles }, { checkLowRankModel }] =
    await Promise.all([
      import('../calibration/recalkv.js'),
      import('../engine/index.js'),
      import('../model/load.js'),
      import('../model/low-rank.js'),
    ]);
  const [{ Transformer }, { parameterBytes }, { createProgress }] = await Promise.all([
    import('../model/transformer.js'),
    import('../runner/models.js'),
    import('./progress.js'),
  ]);
  const files = await openModelFiles(name);
  const progress = createProgress(options.progress, session.stderr);
  try {
    checkLowRankModel(files.config, name);
    const engine = await openEngine(options.engine);
    checkModelFits(engine, parameterBytes(files));
    const model = Transformer.load(engine, files);
    try {
      progress.start(requests.length, `calibrating ${name}`);
      for (const request of requests) {
        const { factors, folder, kept } = await calibrate({
          model,
          files,
          request,
          onPhase: (phase) => {
            progress.phase(phase);
          },
          log: (line) => {
            progress.log(line);
          },
        });
        progress.tick(1, request.kind);
        progress.log(`${kept ? 'was kept already' : 'done'}: ${describe(factors, files.config)}`);
        session.print(folder);
      }
    } finally {
      progress.stop();
      model.dispose();
    }
  } finally {
    files.weights.close();
  }
}

/** The request that `name=value` pairs stand for. Throws UserError (exit code 2) where they are not parameters. */
async function requestOf(pairs: readonly string[]): Promise<WeightsRequest> {
  const [{ recalkv }, { parse }] = await Promise.all([import('../methods/recalkv.js'), import('yaml')]);
  const written = pairs.map((pair): [string, unknown] => {
    const equals = pair.indexOf('=');
    if (equals > 0) return [pair.slice(0, equals).trim(), parse(pair.slice(equals + 1))];
    throw new UserError('expected name=value', { place: `--param ${pair}`, exitCode: 2 });
  });
  const parsed = recalkv.params.safeParse(Object.fromEntries(written));
  if (parsed.success) return recalkv.weights!(parsed.data);
  const problems = parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': '));
  throw new UserError(problems.join('; '), {
    place: '--param',
    exitCode: 2,
    hint: 'The parameters are those of the method: spark-eval show recalkv. At least --param ratio=0.5.',
  });
}

/** The requests of a spec. Throws UserError (exit code 2) where it has none. */
async function requestsOf(file: string): Promise<WeightsRequest[]> {
  const { spec } = await readSpec(file, []);
  const { variantsOf } = await import('../runner/variants.js');
  const requests = variantsOf(spec.pipelines).flatMap(({ request }) => request ?? []);
  if (requests.length > 0) return requests;
  throw new UserError('no pipeline of this spec needs calibrated weights', { place: file, exitCode: 2 });
}

/** `1024 of 2048 channels per token stay (50.0 % removed)`. */
function describe({ layers }: LowRankFactors, { kvHeads, headDim }: ModelConfig): string {
  const ranks = layers.flatMap(({ keys, values }) => [...keys, ...values].map(({ rank }) => rank));
  const kept = ranks.reduce((a, b) => a + b, 0);
  const full = 2 * layers.length * kvHeads * headDim;
  return `${kept} of ${full} channels per token stay (${(100 * (1 - kept / full)).toFixed(1)} % removed)`;
}
