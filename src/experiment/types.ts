/**
 * The spec after validation and expansion.
 *
 * Everything is plain data: it goes to manifests, worker processes and other machines.
 */
import type { LatencySettings } from '../results/latency.js';
import type * as z from 'zod';
import type { CacheDtype } from '../cache/types.js';
import type { Composed } from '../methods/composition.js';
import type { NestedParams, Pipeline } from '../methods/types.js';
import type { Registry } from '../registry/registry.js';
import type { TaskCell } from '../results/cell-key.js';

/** What the spec may name: parameter schemas by name. Models are checked for form only (name, folder or .gguf). */
export interface SpecCatalogue {
  readonly methods: ReadonlyMap<
    string,
    Composed & { readonly params: z.ZodType; readonly nested?: NestedParams }
  >;
  readonly tasks: ReadonlyMap<
    string,
    {
      readonly params: z.ZodType;
      readonly family: string;
      /** Fields that change nothing about its samples. */
      readonly ignores?: readonly ('context' | 'seed')[];
    }
  >;
  readonly models: readonly string[];
}

export type { TaskCell } from '../results/cell-key.js';

export type QuestionMode = TaskCell['question'];

/** What a spec says, as plain data: it goes to manifests, worker processes and other machines. */
export interface PlainSpec {
  readonly file: string;
  /** Where relative paths of input files start: the folder of the spec, absolute. */
  readonly folder: string;
  readonly name: string;
  /** Absolute path of the result folder. */
  readonly output: string;
  readonly cacheDtype: CacheDtype;
  /** Where latencies are to be measured. */
  readonly latency?: LatencySettings | undefined;
  /** `full` first, in the order of the file, without duplicates. */
  readonly pipelines: readonly Pipeline[];
  /** Every (model, task, context, seed, question): pipelines of one such group share their prefills. */
  readonly groups: readonly TaskCell[];
  /** Plain JSON of all of the above but the paths, for the manifest and its hash. */
  readonly canonical: unknown;
}

/** A spec with the methods and tasks that it may name. */
export interface ResolvedSpec extends PlainSpec {
  readonly registry: Registry;
}

/** The spec without what only this process can hold. */
export function plainSpec({ registry: _, ...plain }: ResolvedSpec): PlainSpec {
  return plain;
}
