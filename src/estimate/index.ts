/**
 * What a spec will take, from configurations alone: bytes of every pipeline, operations and time of every group.
 *
 * Upper bounds: prompts as long as the spec allows, answers as long as the task allows. Neither weights nor a tokenizer
 * are loaded.
 */
import { UserError } from '../base/errors.js';
import { checkModelFits, wasmWeightCopies } from '../engine/limits.js';
import type { EngineName } from '../engine/types.js';
import { openKernels } from '../kernels/index.js';
import { readModelConfig, storedWeightBytes } from '../checkpoint/read-config.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { modelPlace } from '../experiment/paths.js';
import type { ResolvedSpec, TaskCell } from '../experiment/types.js';
import { TaskOpener } from '../experiment/task-opener.js';
import type { Task } from '../tasks/types.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import { estimateBytes, type PipelineBytes } from './bytes.js';
import type { Rate } from './rate.js';
import { cacheBudget, machineMemory } from './memory.js';
import { decodeWork, largestLayer, matrixWeights, prefillOperations, STORED_BYTES } from './work.js';

export interface EstimateOptions {
  readonly rate: Rate;
  /** Assumed where a task cannot say how many tokens it generates, because its data is not there. */
  readonly newTokens: number;
  /** What a run would compute on. */
  readonly engine: EngineName;
}

/** Groups of one model with prompts of one length. */
export interface BlockEstimate {
  readonly model: string;
  /** Of all weights, as they are held. */
  readonly weightBytes: number;
  /** True where no file is there that would tell: two bytes a weight then. */
  readonly assumedBytes: boolean;
  readonly promptTokens: number;
  readonly pipelines: readonly PipelineBytes[];
  readonly groups: readonly GroupEstimate[];
  /** Why a run would be refused for this machine's memory. */
  readonly refusal: UserError | undefined;
}

export interface GroupEstimate {
  readonly group: TaskCell;
  readonly newTokens: number;
  /** True where `newTokens` is the assumption. */
  readonly assumed: boolean;
  /** True where the tokenizer decides how long an answer may be: `newTokens` is then for `CHARACTERS_PER_TOKEN`. */
  readonly guessed: boolean;
  /** Of one sample: all prefills, and decoding all pipelines. */
  readonly prefillOperations: number;
  readonly decodeOperations: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  /** Of all samples. */
  readonly seconds: number;
}

/** Estimates every group, in the order of the spec. */
export async function estimateSpec(spec: ResolvedSpec, options: EstimateOptions): Promise<BlockEstimate[]> {
  const { tasks, methods } = spec.registry;
  const blocks = new Map<string, Block>();
  for (const group of spec.groups) {
    const task = tasks.get(group.task)!;
    const length = promptLength(spec, group, task);
    const key = JSON.stringify([group.model, length]);
    const block = blocks.get(key) ?? openBlock(spec, group.model, length);
    block.groups.push(group);
    block.exact &&= task.ignores?.includes('context') !== true;
    blocks.set(key, block);
  }
  const opener = new TaskOpener(tasks, spec.folder);
  const estimates: BlockEstimate[] = [];
  for (const block of blocks.values()) {
    const { config, length, groups } = block;
    const pipelines = await estimateBytes(config, length, spec.pipelines, {
      methods,
      dtype: spec.cacheDtype,
      kernels: openKernels(),
    });
    const kept = pipelines.map(({ estimate }) => estimate?.keptTokens ?? length);
    const estimated: GroupEstimate[] = [];
    for (const group of groups) {
      const known = await newTokensOf(opener, group);
      const prefills = weightSetsOf(spec.pipelines, methods).length;
      estimated.push(estimateGroup(group, { ...block, kept, prefills }, known, options));
    }
    estimates.push({
      model: block.model,
      weightBytes: block.weightBytes,
      assumedBytes: block.assumedBytes,
      promptTokens: length,
      pipelines,
      groups: estimated,
      refusal: refusalOf(block, spec, options.engine),
    });
  }
  return estimates;
}

/** What groups of one model with prompts of one length have in common. */
interface Block extends Pick<BlockEstimate, 'model' | 'weightBytes' | 'assumedBytes'> {
  readonly config: ModelConfig;
  readonly length: number;
  readonly groups: TaskCell[];
  /** False where a task has lengths of its own. */
  exact: boolean;
}

function openBlock({ folder }: ResolvedSpec, model: string, length: number): Block {
  const place = modelPlace(model, folder);
  const config = readModelConfig(place);
  const stored = storedWeightBytes(place);
  const weightBytes = stored ?? STORED_BYTES * matrixWeights(config);
  const assumedBytes = stored === undefined;
  return { model, config, weightBytes, assumedBytes, length, groups: [], exact: true };
}

/** As a run says it before it begins. */
function refusalOf(
  use: Block,
  { cacheDtype }: Pick<ResolvedSpec, 'cacheDtype'>,
  engine: EngineName,
): UserError | undefined {
  try {
    checkModelFits({ name: engine }, 4 * largestLayer(use.config));
    const machine = { workers: 1, memory: machineMemory(), wasmCopies: wasmWeightCopies() };
    cacheBudget([use], { engine, cacheDtype, ...machine });
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

function estimateGroup(
  group: TaskCell,
  {
    config,
    weightBytes,
    length,
    kept,
    prefills,
  }: Pick<Block, 'config' | 'weightBytes' | 'length'> & {
    readonly kept: readonly number[];
    readonly prefills: number;
  },
  known: NewTokens | undefined,
  { rate, newTokens: otherwise }: EstimateOptions,
): GroupEstimate {
  const { tokens: newTokens, guessed } = known ?? { tokens: otherwise, guessed: false };
  const prefill = prefills * prefillOperations(config, length);
  const decode = decodeWork(config, kept, newTokens, weightBytes / matrixWeights(config));
  const prefillSeconds = prefill / rate.operationsPerSecond;
  const decodeSeconds =
    Math.max(decode.operations / rate.decodeOperationsPerSecond, decode.weightBytes / rate.bytesPerSecond) +
    decode.attention / rate.decodeOperationsPerSecond;
  return {
    group,
    newTokens,
    assumed: known === undefined,
    guessed,
    prefillOperations: prefill,
    decodeOperations: decode.operations + decode.attention,
    prefillSeconds,
    decodeSeconds,
    seconds: group.samples * (prefillSeconds + decodeSeconds),
  };
}

interface NewTokens {
  readonly tokens: number;
  /** Other tokens than those of `CHARACTERS_PER_TOKEN` would give another number. */
  readonly guessed: boolean;
}

/** As the first sample says, or where the task's data is not there the task itself; undefined where neither can. */
async function newTokensOf(opener: TaskOpener, group: TaskCell): Promise<NewTokens | undefined> {
  const counted = async (characters: number): Promise<number> => {
    const task = await opener.open(group, (text) => Math.ceil(text.length / characters));
    const { questions } = await task.sample(0);
    return questions[0].maxNewTokens;
  };
  try {
    const tokens = await counted(CHARACTERS_PER_TOKEN);
    return { tokens, guessed: (await counted(2 * CHARACTERS_PER_TOKEN)) !== tokens };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const published = opener.tasks.get(group.task)?.newTokens?.(group.taskParams);
    return published === undefined ? undefined : { tokens: published, guessed: false };
  }
}

/** Of English text under common tokenizers. */
const CHARACTERS_PER_TOKEN = 4;

/** Of a task with lengths of its own, what the spec says to reckon with, as far as the model takes it. */
function promptLength(
  { file, folder }: ResolvedSpec,
  { model, context, maxContext }: TaskCell,
  { ignores }: Pick<Task, 'ignores'>,
): number {
  const { maxPositions } = readModelConfig(modelPlace(model, folder));
  const ownLengths = ignores?.includes('context') === true;
  if (context > maxPositions && !ownLengths) {
    throw new UserError(`context ${context} is longer than the ${maxPositions} positions of ${model}`, {
      place: file,
      hint: `Use at most context: ${maxPositions}.`,
      exitCode: 2,
    });
  }
  return Math.min(context, maxContext ?? maxPositions);
}
