/**
 * A cell's key: the hash of everything that can change its answers.
 *
 * A stored row is reused only under an equal key. The engine is not part of it: a folder holds one engine's results.
 */
import { digestOf } from '../base/canonical-json.js';
import { type CellInfo, FORMAT_VERSION } from './types.js';

/** Of the way from a sample to tokens (`runner/prompt.ts`): changes whenever the same sample would give other tokens. */
export const PROTOCOL_VERSION = 1;

/** What the spec says of a cell, without its pipeline. */
export interface TaskCell {
  readonly model: string;
  readonly task: string;
  readonly taskParams: Readonly<Record<string, unknown>>;
  readonly context: number;
  /** Most tokens of the compressed part; undefined: what the model's positions leave. */
  readonly maxContext?: number | undefined;
  readonly seed: number;
  readonly samples: number;
  readonly question: 'compressed' | 'appended';
}

export interface CellPipeline {
  readonly label: string;
  readonly steps: readonly { readonly method: string; readonly params: Readonly<Record<string, unknown>> }[];
}

/** What the files and the program say of a cell. */
export interface CellDigests {
  readonly weightsDigest: string;
  readonly tokenizerDigest: string;
  /** Of configuration and chat template. */
  readonly configDigest: string;
  readonly dataDigest: string;
  /** Version of the prompt protocol. */
  readonly protocol: number;
  /** Where the pipeline runs on weights of its own: what decides them beside the model and the parameters. */
  readonly calibrationDigest?: string | undefined;
  /** Where the task or a method comes from a plug-in; a cell without one has none, and the key that it always had. */
  readonly pluginDigests?: readonly string[] | undefined;
}

/** 16 hex characters. The model's name and the number of samples do not change an answer and are left out. */
export function cellKey(
  group: Omit<TaskCell, 'model' | 'samples'>,
  steps: CellPipeline['steps'],
  cacheDtype: string,
  digests: CellDigests,
): string {
  const { task, taskParams, context, maxContext, seed, question } = group;
  const { weightsDigest, tokenizerDigest, configDigest, dataDigest, protocol, calibrationDigest } = digests;
  const { pluginDigests: plugins } = digests;
  return digestOf({
    format: FORMAT_VERSION,
    protocol,
    weightsDigest,
    tokenizerDigest,
    configDigest,
    dataDigest,
    calibrationDigest,
    plugins,
    task,
    taskParams,
    context,
    maxContext,
    seed,
    question,
    cacheDtype,
    steps: steps.map(({ method, params }) => ({ method, params })),
  }).slice(0, 16);
}

/** A cell as it is written to result files. */
export function cellInfo(
  group: TaskCell,
  pipeline: CellPipeline,
  cacheDtype: string,
  digests: CellDigests,
): CellInfo {
  return {
    key: cellKey(group, pipeline.steps, cacheDtype, digests),
    model: group.model,
    task: group.task,
    context: group.context,
    seed: group.seed,
    question: group.question,
    pipeline: pipeline.label,
    params: {
      ...(group.maxContext === undefined ? {} : { max_context: group.maxContext }),
      ...namedParams('task', group.taskParams),
      ...stepParams(pipeline.steps),
    },
    samples: group.samples,
    dataDigest: digests.dataDigest,
  };
}

/** `method.param`; the second use of a method in one pipeline is `method#2.param`. */
function stepParams(steps: CellPipeline['steps']): CellInfo['params'] {
  const uses = new Map<string, number>();
  return Object.assign(
    {},
    ...steps.map(({ method, params }) => {
      const use = (uses.get(method) ?? 0) + 1;
      uses.set(method, use);
      return namedParams(use === 1 ? method : `${method}#${use}`, params);
    }),
  ) as CellInfo['params'];
}

function namedParams(owner: string, params: Readonly<Record<string, unknown>>): CellInfo['params'] {
  return Object.fromEntries(
    Object.entries(params).map(([key, value]) => [
      `${owner}.${key}`,
      isPlain(value) ? value : JSON.stringify(value),
    ]),
  );
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
