/**
 * `spark-eval estimate SPEC.yaml`: bytes and time before anything runs.
 *
 * It needs neither weights nor data; a machine's speed is measured unless it is given.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EngineName } from '../../engine/types.js';
import { type Align, alignColumns } from '../../report/text-table.js';
import type { BlockEstimate } from '../../estimate/index.js';
import type { Rate } from '../../estimate/rate.js';
import { taskLabel } from '../../experiment/label.js';
import type { ResolvedSpec } from '../../experiment/types.js';
import type { Registry } from '../../registry/registry.js';
import { readSpec } from '../catalogue.js';
import { formatBytes, formatSeconds, plural } from '../format.js';
import { addSpec, engineOption, jsonOption, type JsonOptions, type SpecOptions } from '../options.js';
import type { Session } from '../session.js';

interface EstimateOptions extends SpecOptions, JsonOptions {
  readonly engine: EngineName | 'auto';
  readonly gflops?: number;
  readonly decodeGflops?: number;
  readonly gbps?: number;
  readonly newTokens: number;
}

const GIGA = 1e9;

export function addEstimate(root: Command, session: Session): void {
  addSpec(
    root
      .command('estimate')
      .description('bytes, operations and time of a spec, from model configurations alone'),
  )
    .addOption(engineOption())
    .addOption(
      new Option(
        '--gflops <number>',
        '10⁹ operations per second of large matrix products, instead of measuring',
      ).argParser(positive),
    )
    .addOption(
      new Option(
        '--decode-gflops <number>',
        '10⁹ operations per second of decoding, on the threads of the kernels, instead of measuring',
      ).argParser(positive),
    )
    .addOption(
      new Option(
        '--gbps <number>',
        '10⁹ bytes of weights that decoding reads per second, instead of measuring',
      ).argParser(positive),
    )
    .addOption(
      new Option('--new-tokens <number>', 'tokens of an answer, for tasks whose data is not there')
        .default(128)
        .argParser(tokens),
    )
    .addOption(jsonOption())
    .action((file: string, options: EstimateOptions) => estimate(file, options, session));
}

async function estimate(file: string, options: EstimateOptions, session: Session): Promise<void> {
  const spec = await readSpec(file, options);
  const { estimateSpec } = await import('../../estimate/index.js');
  const { rate, source, engine } = await rateOf(options);
  const blocks = await estimateSpec(spec, { rate, newTokens: options.newTokens, engine });
  if (options.json === true) session.printJson(estimateJson(spec, blocks, rate, source));
  else session.print(estimateText(spec, spec.registry.tasks, blocks, rate, source));
}

/** What is not given is measured. */
async function rateOf({
  engine: name,
  gflops,
  decodeGflops,
  gbps,
}: EstimateOptions): Promise<{ rate: Rate; source: string; engine: EngineName }> {
  const times = (number: number | undefined): number | undefined =>
    number === undefined ? undefined : number * GIGA;
  const given = {
    operationsPerSecond: times(gflops),
    decodeOperationsPerSecond: times(decodeGflops),
    bytesPerSecond: times(gbps),
  };
  const { operationsPerSecond, decodeOperationsPerSecond, bytesPerSecond } = given;
  if (
    operationsPerSecond !== undefined &&
    decodeOperationsPerSecond !== undefined &&
    bytesPerSecond !== undefined
  ) {
    const rate = { operationsPerSecond, decodeOperationsPerSecond, bytesPerSecond };
    return { rate, source: 'given', engine: name === 'auto' ? 'native' : name };
  }
  const [{ openEngine }, { measureRate }] = await Promise.all([
    import('../../engine/index.js'),
    import('../../estimate/rate.js'),
  ]);
  const engine = await openEngine(name);
  const measured = await measureRate(engine);
  return {
    rate: {
      operationsPerSecond: operationsPerSecond ?? measured.operationsPerSecond,
      decodeOperationsPerSecond: decodeOperationsPerSecond ?? measured.decodeOperationsPerSecond,
      bytesPerSecond: bytesPerSecond ?? measured.bytesPerSecond,
    },
    engine: engine.name,
    source: `measured, ${engine.name} with ${plural(engine.threads, 'thread')}`,
  };
}

function estimateJson(
  spec: ResolvedSpec,
  blocks: readonly BlockEstimate[],
  rate: Rate,
  source: string,
): unknown {
  return {
    name: spec.name,
    cacheDtype: spec.cacheDtype,
    rate: { ...rate, source },
    seconds: totalSeconds(blocks),
    blocks: blocks.map(({ pipelines, groups, refusal, ...block }) => ({
      ...block,
      refusal: refusal === undefined ? null : { message: refusal.message, hint: refusal.hint },
      pipelines: pipelines.map(({ pipeline, estimate }) => ({
        pipeline,
        ...(estimate ?? { storedBytes: null }),
      })),
      groups: groups.map(({ group, ...estimate }) => ({ ...group, ...estimate })),
    })),
  };
}

function estimateText(
  spec: ResolvedSpec,
  tasks: Registry['tasks'],
  blocks: readonly BlockEstimate[],
  rate: Rate,
  source: string,
): string {
  const assumed = blocks.some(({ groups }) => groups.some((group) => group.assumed));
  const guessed = blocks.some(({ groups }) => groups.some((group) => group.guessed));
  const data = blocks.some(({ pipelines }) =>
    pipelines.some(({ estimate }) => estimate?.dependsOnData === true),
  );
  const latents = blocks.some(({ pipelines }) => pipelines.some(({ estimate }) => estimate === undefined));
  const refused = blocks.some(({ refusal }) => refusal !== undefined);
  return [
    ...blocks.flatMap((block) => [...blockText(block, tasks), '']),
    `${spec.name}: about ${formatSeconds(totalSeconds(blocks))}${refused ? ', on a machine that takes it,' : ''} at ${giga(rate.operationsPerSecond)} GFLOP/s in a prefill, ${giga(rate.decodeOperationsPerSecond)} and ${giga(rate.bytesPerSecond)} GB/s of weights in decoding (${source})`,
    `Upper bounds${guessed ? ' but where marked ~' : ''}: prompts and answers as long as they may be. Compressing takes extra time.`,
    ...(data ? ['~ stored: depends on the data; here of random numbers'] : []),
    ...(latents ? ['– stores latents, whose ranks a calibration decides'] : []),
    ...(guessed
      ? [
          '~ new tokens: answers are counted in tokens, here of 4 characters each; a tokenizer may make more of them',
        ]
      : []),
    ...(assumed ? ['* assumed (--new-tokens): the data of the task is not there'] : []),
  ].join('\n');
}

function blockText(
  { model, weightBytes, assumedBytes, promptTokens, pipelines, groups, refusal }: BlockEstimate,
  tasks: Registry['tasks'],
): string[] {
  const all = pipelines.reduce((sum, { estimate }) => sum + (estimate?.storedBytes ?? 0), 0);
  const full = pipelines.find(({ estimate }) => estimate !== undefined)?.estimate?.fullBytes ?? 0;
  const rows = pipelines.map(({ pipeline, estimate }) =>
    estimate === undefined
      ? [pipeline, '–', '–', '–', '–']
      : [
          pipeline,
          estimate.keptTokens.toFixed(Number.isInteger(estimate.keptTokens) ? 0 : 1),
          `${estimate.dependsOnData ? '~' : ''}${formatBytes(estimate.storedBytes)}`,
          percent(estimate.storedBytes, estimate.fullBytes),
          percent(estimate.paperBytes, estimate.fullBytes),
        ],
  );
  const taskRows = groups.map(
    ({ group, newTokens, assumed, guessed, prefillOperations, decodeOperations, ...times }) => [
      taskLabel(group.task, group.taskParams, tasks),
      String(group.samples),
      `${guessed ? '~' : ''}${newTokens}${assumed ? '*' : ''}`,
      giga(prefillOperations),
      giga(decodeOperations),
      shortTime(times.prefillSeconds),
      shortTime(times.decodeSeconds),
      formatSeconds(times.seconds),
    ],
  );
  return [
    ...(refusal === undefined
      ? []
      : ['a run would be refused on this machine:', refusal.format().replace(/^/gm, '  '), '']),
    `${model}: weights ${formatBytes(weightBytes)}${assumedBytes ? ' in two bytes a number' : ''}; prompts of ${promptTokens} tokens: full cache ${formatBytes(full)}, all pipelines ${formatBytes(all)}`,
    ...render([['pipeline', 'kept tokens', 'stored', 'stored %', 'paper %'], ...rows]),
    '',
    ...render([
      ['task', 'samples', 'new tokens', 'prefill GFLOP', 'decode GFLOP', 'prefill', 'decode', 'all samples'],
      ...taskRows,
    ]),
  ];
}

function render(rows: readonly (readonly string[])[]): string[] {
  const align = rows[0]!.map((_, column): Align => (column === 0 ? 'left' : 'right'));
  return alignColumns(rows, align);
}

function totalSeconds(blocks: readonly BlockEstimate[]): number {
  return blocks.flatMap(({ groups }) => groups).reduce((sum, { seconds }) => sum + seconds, 0);
}

function percent(part: number, whole: number): string {
  return ((100 * part) / whole).toFixed(1);
}

/** With a digit below a minute: a sample may take less than a second. */
function shortTime(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)}s` : formatSeconds(seconds);
}

function giga(value: number): string {
  const scaled = value / GIGA;
  return scaled.toFixed(scaled < 100 ? 1 : 0);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

function tokens(text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value >= 1))
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return value;
}
