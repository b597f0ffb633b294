/**
 * One sample under many pipelines: prefill once, compress for each pipeline, decode all together.
 *
 * Pipelines with the same plan in every layer are one row of the decode, and one that cannot be applied to the prompt
 * does not hold up the others. Where not all fit at once, `turns.ts` says which do.
 */
import { addBytes, NO_BYTES, paperBytes } from '../../cache/bytes.js';
import { shiftsOf } from '../../cache/plan.js';
import type { ByteParts, CacheDtype, LayerCache, LayerPlan } from '../../cache/types.js';
import { UserError } from '../../base/errors.js';
import type { Kernels } from '../../kernels/index.js';
import { OutOfCacheMemory } from '../../kernels/memory.js';
import { observationsOf } from '../../methods/pipeline.js';
import type { Method, Pipeline } from '../../methods/types.js';
import { generate } from '../../model/decode.js';
import { prefill } from '../../model/prefill.js';
import type { Transformer } from '../../model/transformer.js';
import { LayerWork } from './layer-work.js';
import type { Segments } from './prompt.js';
import { decodeRoom, expectToFit, inTurns } from './turns.js';

export interface SampleRun {
  readonly model: Transformer;
  readonly kernels: Kernels;
  /** Those that the pipelines name, at least. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly pipelines: readonly Pipeline[];
  readonly segments: Segments;
  readonly cacheDtype: CacheDtype;
  readonly maxNewTokens: number;
  /** Ids that end a row. Default: the model's. */
  readonly stopIds?: readonly number[];
  readonly signal?: AbortSignal | undefined;
  /** Told when a long phase moves: layers of the prefill, tokens of the decode. */
  readonly onPhase?: ((phase: 'prefill' | 'decode', done: number, total: number) => void) | undefined;
}

export interface PipelineOutcome {
  readonly ids: readonly number[];
  /** Mean over layers and KV heads of the prompt tokens kept. */
  readonly keptTokens: number;
  /** Prompt tokens kept by every layer, per KV head; undefined where all keep the same number. */
  readonly keptPerHead: readonly (readonly number[])[] | undefined;
  /** Of the packed prompt, before anything is decoded; under a decode policy of all that is held at the end. */
  readonly bytes: ByteParts;
  /** The paper's own accounting, bytes. */
  readonly paperBytes: number;
  readonly compressSeconds: number;
}

export interface SampleOutcome {
  /** In the order of the run's pipelines; why there is none, where one cannot be applied to this prompt. */
  readonly pipelines: readonly (PipelineOutcome | UserError)[];
  /** Without the compressions. */
  readonly prefillSeconds: number;
  /** Of the whole batch: suffix and generation of all rows together. */
  readonly decodeSeconds: number;
}

/**
 * Runs one sample. Every cache is freed when it returns or throws.
 *
 * Pipelines whose caches do not fit into the cache memory together take turns, each turn with a prefill of its own;
 * what they answer is the same.
 *
 * @throws UserError where a pipeline does not fit alone
 */
export async function runSample(run: SampleRun): Promise<SampleOutcome> {
  const turns = await inTurns(run.pipelines, (pipelines) => runTurn(run, pipelines));
  const pipelines = turns.flatMap((turn) => turn.pipelines);
  return {
    pipelines,
    prefillSeconds: turns.reduce((total, { prefillSeconds }) => total + prefillSeconds, 0),
    decodeSeconds: turns.reduce((total, { decodeSeconds }) => total + decodeSeconds, 0),
  };
}

async function runTurn(run: SampleRun, pipelines: readonly Pipeline[]): Promise<SampleOutcome> {
  const { model, kernels, segments, maxNewTokens } = run;
  const rows = pipelines.map((pipeline) => new CompressedPrompt(pipeline, run.cacheDtype));
  const room = decodeRoom(model.config, segments, maxNewTokens);
  const reach = segments.contextIds.length + segments.suffixIds.length + maxNewTokens;
  try {
    const started = performance.now();
    await compressPrompt(model, segments.contextIds, rows, {
      ...run,
      reach,
      onFirstLayer: (layers) => {
        const needs = rows.map((row) => layers * row.ownBytes() + room.perRow);
        expectToFit(needs, kernels.memory.limit - room.shared);
      },
    }).catch((error: unknown) => {
      // No row of this turn is left; that is told of each.
      if (!rows.some(({ failure }) => failure === error)) throw error;
    });
    const prefilled = performance.now();
    const whole = rows.filter((row) => row.failure === undefined);
    if (whole.length === 0) return noneApplicable(rows, started);
    const distinct = whole.filter((row, r) => whole.findIndex((other) => other.sameAs(row)) === r);
    const generated = await generate(model, {
      rows: distinct.map((row) => ({
        caches: row.caches,
        position: segments.contextIds.length,
        shifts: shiftsOf(row.places, segments.contextIds.length),
        reach,
      })),
      suffixIds: segments.suffixIds,
      maxNewTokens,
      stopIds: run.stopIds ?? model.config.eosIds,
      signal: run.signal,
      onStep: (step) => run.onPhase?.('decode', step, maxNewTokens),
    });
    const compressing = rows.reduce((total, row) => total + row.seconds, 0);
    return {
      pipelines: rows.map((row) => {
        if (row.failure !== undefined) return row.failure;
        const one = distinct.findIndex((other) => other.sameAs(row));
        return { ...distinct[one]!.outcome(generated[one]!), compressSeconds: row.seconds };
      }),
      prefillSeconds: (prefilled - started) / 1000 - compressing,
      decodeSeconds: (performance.now() - prefilled) / 1000,
    };
  } finally {
    for (const row of rows) row.free();
  }
}

function noneApplicable(rows: readonly CompressedPrompt[], started: number): SampleOutcome {
  return {
    pipelines: rows.map(({ failure }) => failure!),
    prefillSeconds: (performance.now() - started) / 1000,
    decodeSeconds: 0,
  };
}

interface CompressOptions extends Pick<
  SampleRun,
  'methods' | 'kernels' | 'cacheDtype' | 'signal' | 'onPhase'
> {
  /** Every prompt has compressed the first of so many layers; throws to stop. */
  readonly onFirstLayer?: (layers: number) => void;
  /** See `PrefillRequest`. */
  readonly reach?: number | undefined;
}

/** Prefills once and lets every prompt compress each layer as it comes. Throws the first failure when all have failed. */
export async function compressPrompt(
  model: Transformer,
  ids: readonly number[],
  prompts: readonly CompressedPrompt[],
  { methods, kernels, cacheDtype, signal, onPhase, onFirstLayer, reach }: CompressOptions,
): Promise<void> {
  await prefill(model, {
    ids,
    reach,
    observations: observationsOf(
      prompts.map((prompt) => prompt.pipeline),
      methods,
    ),
    signal,
    onLayer: async (trace) => {
      const work = new LayerWork(trace, methods, cacheDtype, kernels);
      for (const prompt of prompts) await prompt.add(work);
      const [first] = prompts;
      if (first?.failure !== undefined && prompts.every(({ failure }) => failure !== undefined)) {
        throw first.failure;
      }
      if (trace.layer === 0) onFirstLayer?.(trace.layers);
      onPhase?.('prefill', trace.layer + 1, trace.layers);
    },
  });
}

/** The prompt's cache under one pipeline, growing layer by layer. */
export class CompressedPrompt {
  readonly caches: LayerCache[] = [];
  /** Per layer the first cache of the same plan. */
  private readonly origins: LayerCache[] = [];
  /** By layer where the token behind the prompt stands. */
  readonly places: Pick<LayerPlan, 'nextPosition'>[] = [];
  /** Per layer; undefined under a decode policy. */
  private readonly packedBytes: (ByteParts | undefined)[] = [];
  seconds = 0;
  /** Why the pipeline cannot be applied to this prompt; it holds nothing then. */
  failure: UserError | undefined;
  private paper = 0;

  constructor(
    readonly pipeline: Pipeline,
    private readonly dtype: CacheDtype,
  ) {}

  /** Packs the next layer. */
  async add(work: LayerWork): Promise<void> {
    if (this.failure !== undefined) return;
    const { trace } = work;
    const started = performance.now();
    try {
      const { plan, cache, origin } = await work.pack(this.pipeline.steps);
      this.caches.push(cache);
      this.origins.push(origin);
      this.packedBytes.push(plan.decode === undefined ? cache.bytes() : undefined);
      this.paper += paperBytes(trace, plan, this.dtype);
      this.places.push({ nextPosition: plan.nextPosition });
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof OutOfCacheMemory) throw error;
      this.failure = error.at(`${this.pipeline.label}, layer ${trace.layer}`);
      this.free();
    }
    this.seconds += (performance.now() - started) / 1000;
  }

  /** True where every layer was packed by the same plan: then both rows give the same answer. */
  sameAs(other: CompressedPrompt): boolean {
    return this.origins.every((origin, layer) => origin === other.origins[layer]);
  }

  /** Bytes of all layers so far, but for what is shared with a pipeline before. */
  ownBytes(): number {
    return this.caches.reduce((total, cache) => total + cache.ownBytes(), 0);
  }

  outcome(ids: readonly number[]): Omit<PipelineOutcome, 'compressSeconds'> {
    const keptPerHead = this.caches.map((cache) => [...cache.kept]);
    const kept = keptPerHead.flat();
    return {
      ids,
      keptTokens: kept.reduce((total, n) => total + n, 0) / kept.length,
      keptPerHead: kept.every((n) => n === kept[0]) ? undefined : keptPerHead,
      bytes: this.caches
        .map((cache, layer) => this.packedBytes[layer] ?? cache.bytes())
        .reduce(addBytes, NO_BYTES),
      paperBytes: this.paper,
    };
  }

  free(): void {
    for (const cache of this.caches) cache.free();
    this.caches.length = 0;
  }
}
