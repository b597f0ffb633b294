/**
 * `spark-eval plot RESULTS…`: pictures of results as SVG files.
 *
 * `--kind saliency` takes a model in place of results and is in `plot-saliency.ts`.
 */
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../base/errors.js';
import type { Plot, PlotKind, ResultKind } from '../../report/plots/types.js';
import { engineOption, jsonOption, type JsonOptions } from '../options.js';
import { saliencyOf, type SaliencyOptions } from '../plot-saliency.js';
import { noteGaps } from '../result-notes.js';
import type { Session } from '../session.js';
import { writeOutput } from '../write-output.js';

const KINDS = ['ratio', 'bytes', 'parts', 'needle', 'saliency'] as const satisfies readonly PlotKind[];

interface PlotOptions extends SaliencyOptions, JsonOptions {
  readonly kind?: PlotKind;
  readonly output?: string;
  readonly png?: boolean;
}

export function addPlot(root: Command, session: Session): void {
  root
    .command('plot')
    .description('draw results as SVG: score against ratio and stored bytes, bytes by part, needle maps')
    .argument('[results...]', 'result folders')
    .addOption(new Option('--kind <kind>', 'only this one (default: all but saliency)').choices(KINDS))
    .option('--output <folder>', 'where the pictures go (default: plots in the first folder)')
    .option('--png', 'PNG files as well; needs the package @resvg/resvg-js')
    .option('--model <model>', 'saliency only: the model to measure')
    .option('--task <task>', 'saliency only: the task whose prompt is taken', 'ruler/niah_single_1')
    .option('--context <tokens>', 'saliency only: length of the prompt', wholeNumber, 1024)
    .option('--seed <number>', 'saliency only', wholeNumber, 42)
    .option('--sample <index>', 'saliency only', wholeNumber, 0)
    .option('--layer <index>', 'saliency only', wholeNumber, 0)
    .option('--head <index>', 'saliency only: KV head', wholeNumber, 0)
    .addOption(engineOption())
    .addOption(jsonOption())
    .action((paths: string[], options: PlotOptions) => plot(paths, options, session));
}

async function plot(paths: readonly string[], options: PlotOptions, session: Session): Promise<void> {
  if (options.kind === 'saliency') {
    if (paths.length > 0) refuse('--kind saliency measures a model and takes no result folders');
    const { data, plot: picture } = await saliencyOf(options);
    const folder = options.output ?? '.';
    const file = join(folder, `${picture.name}.json`);
    writeOutput(file, `${JSON.stringify(data)}\n`);
    const drawn = await draw([picture], folder, options.png === true);
    printFiles([file, ...drawn], options, session);
    return;
  }
  if (options.model !== undefined) refuse('--model goes with --kind saliency');
  if (paths.length === 0) refuse('expected at least one result folder');
  const [{ readResults }, { plotsOf }] = await Promise.all([
    import('../../report/read-results.js'),
    import('../../report/plots/index.js'),
  ]);
  const read = readResults(paths);
  const plots = plotsOf(read.results, options.kind === undefined ? undefined : [options.kind]);
  await noteGaps(read, session);
  if (plots.length === 0) throw nothingToDraw(options.kind, paths[0]!);
  const drawn = await draw(plots, options.output ?? join(paths[0]!, 'plots'), options.png === true);
  printFiles(drawn, options, session);
}

function printFiles(files: readonly string[], { json }: JsonOptions, session: Session): void {
  if (json === true) session.printJson({ files });
  else for (const file of files) session.print(file);
}

/** The files that were written. */
async function draw(plots: readonly Plot[], folder: string, png: boolean): Promise<string[]> {
  const [{ renderSvg, standalone }, { openPngRenderer, renderPng }] = await Promise.all([
    import('../../report/plots/render.js'),
    import('../../report/plots/png.js'),
  ]);
  const renderer = png ? await openPngRenderer() : undefined;
  const written: string[] = [];
  for (const picture of plots) {
    const svg = standalone(await renderSvg(picture));
    const files: [string, string | Uint8Array][] = [[`${picture.name}.svg`, svg]];
    if (renderer !== undefined) files.push([`${picture.name}.png`, renderPng(renderer, svg)]);
    for (const [name, content] of files) {
      writeOutput(join(folder, name), content);
      written.push(join(folder, name));
    }
  }
  return written;
}

function nothingToDraw(kind: ResultKind | undefined, place: string): UserError {
  const reasons: Readonly<Record<ResultKind, string>> = {
    ratio: 'no complete pipeline has a ratio or a budget',
    bytes: 'no pipeline is complete',
    parts: 'no pipeline is complete',
    needle: 'no task of these results has a parameter depth (spark-eval list tasks: needle/…)',
  };
  return new UserError(`nothing to draw: ${reasons[kind ?? 'bytes']}`, { place });
}

function refuse(message: string): never {
  throw new UserError(message, { exitCode: 2, hint: 'spark-eval plot --help' });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0) {
    throw new InvalidArgumentError('Expected a whole number, 0 or more.');
  }
  return value;
}
