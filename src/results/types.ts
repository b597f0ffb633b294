/**
 * What a result folder holds, as types: journal lines, cells, the manifest.
 *
 * These formats outlive a run.
 */
import type { ByteParts } from '../cache/types.js';

export const FORMAT_VERSION = 1;

/** One cell of the sweep: everything that names a row of accuracy.csv. */
export interface CellInfo {
  /** sha256 (hex, 16 characters) of all that can change an answer. */
  readonly key: string;
  readonly model: string;
  readonly task: string;
  readonly context: number;
  readonly seed: number;
  readonly question: 'compressed' | 'appended';
  readonly pipeline: string;
  /** `method.param` → value for every step, defaults included, e.g. `snapkv.budget: 256`. */
  readonly params: Readonly<Record<string, string | number | boolean>>;
  /** Samples asked for. */
  readonly samples: number;
  /** Digest of the task's data. Manifests of earlier versions lack it. */
  readonly dataDigest?: string | undefined;
}

/** One finished (cell, sample). */
export interface SampleRecord {
  readonly format: typeof FORMAT_VERSION;
  readonly cell: string;
  readonly sample: number;
  readonly prediction: string;
  readonly answers: readonly string[];
  /** In [0, 1]. */
  readonly score: number;
  readonly promptTokens: number;
  /** True where the context was cut to the model's limit. */
  readonly truncated: boolean;
  /** Where what is asked for stands, in per cent of the text; of tasks that place it. */
  readonly depths?: readonly number[] | undefined;
  readonly generatedTokens: number;
  /** Mean of kept prompt tokens over layers and KV heads. */
  readonly keptTokens: number;
  /** Kept prompt tokens of every layer, per KV head; where they are not all the same. */
  readonly keptPerHead?: readonly (readonly number[])[] | undefined;
  /** Bytes of the whole prompt as a dense bf16 cache (the cell's cache dtype). */
  readonly fullBytes: number;
  readonly storedBytes: ByteParts;
  /** The paper's own accounting: kept values only, in bytes. */
  readonly paperBytes: number;
  readonly prefillSeconds: number;
  readonly compressSeconds: number;
  readonly decodeSeconds: number;
  readonly peakRssBytes: number;
}

/** A (cell, sample) that the cell's pipeline cannot be applied to: done, without a result. */
export interface Inapplicable {
  readonly format: typeof FORMAT_VERSION;
  readonly cell: string;
  readonly sample: number;
  /** Why, as it was told; more lines than one may follow. */
  readonly inapplicable: string;
}

/** A line of the journal. */
export type JournalEntry = SampleRecord | Inapplicable;

/** A model as it was used. */
export interface ModelRecord {
  /** As the spec names it. */
  readonly name: string;
  readonly weightsDigest: string;
  readonly tokenizerDigest: string;
  /** Of configuration and chat template. */
  readonly configDigest: string;
  /** Its files as they were: where nothing has changed, the digests need not be taken again. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly modifiedMs: number }[];
}

export const MAX_SHARDS = 100_000;

/** A part of a run: the samples whose running number leaves `index − 1` when divided by `count`. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  /** At most `MAX_SHARDS`. */
  readonly count: number;
}

/** A folder that was merged into another one: what its results ran on, and when. */
export type MergedPart = Pick<
  Manifest,
  'git' | 'node' | 'platform' | 'cpu' | 'memoryBytes' | 'startedAt' | 'finishedAt'
> & {
  /** Relative to the folder that it was merged into. */
  readonly folder: string;
};

/** A spec that a folder was run with: what made it, and when it began. */
export type RunOrigin = Pick<Manifest, 'spec' | 'specHash' | 'version' | 'git' | 'startedAt'>;

export interface Manifest {
  readonly format: typeof FORMAT_VERSION;
  readonly name: string;
  /** The resolved spec (defaults filled in) and its sha256. */
  readonly spec: unknown;
  readonly specHash: string;
  /** Where relative paths of the spec start, absolute, on the machine that made the results. */
  readonly specFolder?: string | undefined;
  readonly version: string;
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  readonly node: string;
  readonly platform: string;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly memoryBytes: number;
  readonly engine: {
    readonly name: string;
    readonly threads: number;
    readonly versions: Readonly<Record<string, string>>;
  };
  /** `PROTOCOL_VERSION` of the prompts; without it 1. */
  readonly protocol?: number | undefined;
  /** Of the spec, then of the cells that are left out. */
  readonly models: readonly ModelRecord[];
  readonly data: readonly { readonly task: string; readonly digest: string }[];
  /** Every cell of the spec, also where the folder holds one shard of their samples. */
  readonly cells: readonly CellInfo[];
  /** Plug-ins that the run was given: what they are called, and digests of all that they import. */
  readonly plugins?: readonly { readonly use: string; readonly digest: string }[] | undefined;
  readonly shard?: Shard | undefined;
  /** The spec that the folder began with, where it was extended since. */
  readonly original?: RunOrigin | undefined;
  /** Every other spec that the folder was run with since, in order; the last of them is the manifest's own. */
  readonly extensions?: readonly RunOrigin[] | undefined;
  /** Cells of earlier specs that this one does not name: their records are in the journal, and in no table. */
  readonly leftOut?: readonly CellInfo[] | undefined;
  /** In a merged folder; the machine of the manifest itself is that of the first of them. */
  readonly parts?: readonly MergedPart[] | undefined;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}
