/**
 * The memory of a run, from configurations alone: what a process needs, and what is left for packed caches.
 *
 * A run that cannot fit is refused before it starts, with what would fit. The figures are what engines were seen to
 * hold.
 * Alphabet: S prompt tokens, E hidden, H query heads, KV, D head width, G = H/KV, F, V vocabulary.
 */
import { totalmem } from 'node:os';
import { fullCacheBytes } from '../cache/bytes.js';
import type { CacheDtype } from '../cache/types.js';
import type { EngineName } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import type { ModelConfig } from '../checkpoint/types.js';
import { largestLayer, STORED_BYTES } from './work.js';

/** Prompts of one model, all of one length. */
export interface MemoryUse {
  readonly model: string;
  readonly config: ModelConfig;
  /** Bytes of all weights, as the file has them. */
  readonly weightBytes: number;
  /** S; the most that it can be where the data alone knows. */
  readonly length: number;
  /** False where the prompts may all be shorter: only what does not depend on the length can then be too much. */
  readonly exact: boolean;
}

export interface MemoryOptions {
  readonly engine: EngineName;
  /** Processes that each hold a model and the caches of a sample. */
  readonly workers: number;
  readonly cacheDtype: CacheDtype;
  /** How often wasm holds the weights of a layer. */
  readonly wasmCopies: number;
  /** Bytes for all processes together. */
  readonly memory: number;
}

/** What one process needs, bytes. */
export interface MemoryNeed {
  /** Node and the engine. */
  readonly program: number;
  /** In the memories of the kernels. */
  readonly weights: number;
  /** Of a tensor on its way from the file. */
  readonly loading: number;
  /** The layer that is computed, as float32, and its activations. */
  readonly prefill: number;
  /** Packed cache of one row. */
  readonly row: number;
}

const PROGRAM: Readonly<Record<EngineName, number>> = { wasm: 170e6, cpu: 170e6, native: 480e6, gpu: 480e6 };
/** How often the machine's memory holds the layer that is computed: as it is widened, and on the engine. */
const LAYER_COPIES: Readonly<Record<Exclude<EngineName, 'wasm'>, number>> = { cpu: 2, native: 2, gpu: 1 };
/** Tokens after the prompt that a row is given room for. */
const DECODED = 256;
/** Of a prefill: rows of a matmul, queries of a block of attention, scores of one. */
const ROWS = 1024;
const QUERIES = 512;
const SCORES = 16 * 2 ** 20;
/** Share of the memory that is planned with; the rest is for what the numbers here do not know. */
const PLANNED = 0.85;
/** Contexts that are proposed are multiples of this. */
const STEP = 256;
/** What 32-bit addresses reach, bytes: the memory of the packed caches, and another one for all that wasm computes with. */
const ADDRESSABLE = 2 ** 32;

/** Bytes of the machine, or of the container that this process may not outgrow. */
export function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * Bytes that the packed caches of one process may take; at least what one row needs.
 *
 * @throws UserError (exit code 2) where a model, a prefill and the cache of one row do not fit: what is needed, what there
 * is, and what would fit
 */
export function cacheBudget(uses: readonly MemoryUse[], options: MemoryOptions): number {
  const budgets = uses.map((use) => {
    const least = needOf(use, options, use.exact ? use.length : 0);
    const lacking = lackOf(least, options);
    if (lacking !== undefined) throw tooLarge(use, lacking, options);
    const { program, weights, loading, prefill } = needOf(use, options, use.length);
    const left = (PLANNED * options.memory) / options.workers - program - weights - loading;
    return Math.max(least.row, use.exact ? left - prefill : Math.max(left - prefill, left / 2));
  });
  return Math.min(ADDRESSABLE, ...budgets);
}

/** Of one process whose prompts have `length` tokens. */
export function needOf(
  { config, weightBytes }: Pick<MemoryUse, 'config' | 'weightBytes'>,
  { engine, cacheDtype, wasmCopies }: Pick<MemoryOptions, 'engine' | 'cacheDtype' | 'wasmCopies'>,
  length: number,
): MemoryNeed {
  const { layers, hidden: E, heads: H, kvHeads: KV, headDim: D, intermediate: F, vocabulary: V } = config;
  const joined = (H + 2 * KV) * D;
  const layer = 4 * largestLayer(config);
  const copies = engine === 'wasm' ? 1 + wasmCopies : LAYER_COPIES[engine];
  const queries = Math.min(QUERIES, length, Math.ceil(SCORES / Math.max(1, (H / KV) * length)));
  const scores = (H / KV) * queries * length;
  const perToken = 2 * E + 4 * joined + 3 * H * D + 2 * KV * D;
  const floats = length * perToken + Math.min(length, ROWS) * 6 * F + 4 * scores;
  return {
    program: PROGRAM[engine],
    weights: weightBytes,
    loading: STORED_BYTES * V * E,
    prefill: copies * layer + 4 * floats,
    row:
      fullCacheBytes({ kvHeads: KV, headDim: D, length }, config.windows, cacheDtype) +
      layers * 2 * KV * D * DECODED * 4,
  };
}

/** What a need is too large for, in words; undefined where it fits. */
function lackOf(need: MemoryNeed, { engine, workers, memory }: MemoryOptions): string | undefined {
  const { program, weights, loading, prefill, row } = need;
  if (row > ADDRESSABLE)
    return `the packed cache of one row takes ${size(row)}, and may take ${size(ADDRESSABLE)}`;
  if (engine === 'wasm' && prefill > ADDRESSABLE)
    return `the prefill takes ${size(prefill)}, and wasm has ${size(ADDRESSABLE)} for it`;
  const total = program + weights + loading + prefill + row;
  if (workers * total <= memory) return undefined;
  const parts = `program ${size(program)}, weights ${size(weights + loading)}, prefill ${size(prefill)}, cache of one row ${size(row)}`;
  const each = workers === 1 ? '' : `${workers} workers with each `;
  return `needs about ${size(workers * total)} of memory (${each}${parts}), and there are ${size(memory)}`;
}

function tooLarge(use: MemoryUse, lacking: string, options: MemoryOptions): UserError {
  const prompt = use.exact ? `, prompts of ${use.length} tokens` : '';
  const fits = whatFits(use, options);
  return new UserError(`${use.model} on engine ${options.engine}${prompt}: ${lacking}`, {
    place: options.workers === 1 ? 'memory' : '--workers',
    hint:
      fits.length === 0 ? 'A smaller model or a larger machine.' : `What would fit: ${fits.join(', or ')}.`,
    exitCode: 2,
  });
}

/** Single changes that would do, as the user writes them. */
function whatFits(use: MemoryUse, options: MemoryOptions): string[] {
  const { workers, engine } = options;
  const length = use.exact ? use.length : 0;
  const fits = (changes: Partial<MemoryOptions>, tokens = length): boolean => {
    const changed = { ...options, ...changes };
    return lackOf(needOf(use, changed, tokens), changed) === undefined;
  };
  const found: string[] = [];
  const fewer = descending(workers - 1).find((count) => fits({ workers: count }));
  if (fewer !== undefined) found.push(`--workers ${fewer}`);
  const steps = descending(Math.ceil(length / STEP) - 1).find((count) => fits({}, count * STEP));
  if (steps !== undefined) found.push(`context: ${steps * STEP}`);
  if (engine === 'wasm' && workers === 1 && fits({ engine: 'native' })) {
    found.push('--engine native (spark-eval setup native)');
  }
  if (engine === 'native' && fits({ engine: 'wasm' })) found.push('--engine wasm');
  return found;
}

/** from … 1 */
function descending(from: number): number[] {
  return Array.from({ length: Math.max(0, from) }, (_, i) => from - i);
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
