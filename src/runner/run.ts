/**
 * A run: every missing (cell, sample) of a spec, computed and written as it finishes.
 *
 * Decides the order (model, variant, group, sample: weights are loaded once, a sample is prefilled once for all of its
 * missing pipelines that run on the same weights) and that nothing finished is computed again. Knows nothing of how a method works.
 */
import { fullBytes } from '../cache/bytes.js';
import { checkModelFits, openEngine } from '../engine/index.js';
import type { Engine, EngineName } from '../engine/types.js';
import { openKernels, type Kernels } from '../kernels/index.js';
import { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../model/types.js';
import { ResultFolder } from '../results/folder.js';
import { createManifest } from '../results/manifest.js';
import {
  FORMAT_VERSION,
  type CellInfo,
  type Manifest,
  type ModelRecord,
  type SampleRecord,
} from '../results/types.js';
import { specHash } from '../spec/load.js';
import type { ResolvedSpec } from '../spec/types.js';
import { groupCells, type CellGroup } from './cells.js';
import { modelRecord } from './model-record.js';
import { openModels, parameterBytes } from './models.js';
import type { Progress } from './progress.js';
import { buildSegments, stopIdsOf } from './prompt.js';
import { runSample } from './sample.js';
import { variantsOf, withVariant, type Variant } from './variants.js';

export interface RunOptions {
  readonly engine: EngineName | 'auto';
  readonly progress: Progress;
  /** Remove the results that are there. */
  readonly fresh: boolean;
  /** Stops between layers and tokens; what is finished is kept. */
  readonly signal: AbortSignal;
}

export interface RunOutcome {
  /** False where the signal stopped it. */
  readonly complete: boolean;
  readonly manifest: Manifest;
  readonly cells: readonly CellInfo[];
  /** Of these cells, earlier ones included. */
  readonly records: readonly SampleRecord[];
  /** Rows that were there before. */
  readonly reused: number;
}

/** Runs what is missing and, once nothing is, writes the tables. */
export async function runSpec(spec: ResolvedSpec, options: RunOptions): Promise<RunOutcome> {
  const models = await openModels(spec);
  try {
    const identities = new Map(
      [...models].map(([name, files]) => [name, { config: files.config, record: modelRecord(files) }]),
    );
    const groups = groupCells(spec, identities);
    const records = [...identities.values()].map(({ record }) => record);
    const engine = await openEngine(options.engine);
    const hash = specHash(spec);
    const folder = ResultFolder.open(spec.output, {
      spec: spec.canonical,
      specHash: hash,
      engine: engine.name,
      fresh: options.fresh,
    });
    try {
      for (const warning of folder.warnings) options.progress.log(warning);
      const manifest = manifestOf(spec, hash, engine, records, groups, folder.earlier);
      folder.begin(manifest);
      return await new Run(spec, options, engine, folder, manifest, groups).finish(models);
    } finally {
      options.progress.stop();
      folder.close();
    }
  } finally {
    for (const files of models.values()) files.weights.close();
  }
}

class Run {
  private readonly kernels: Kernels = openKernels();

  constructor(
    private readonly spec: ResolvedSpec,
    private readonly options: RunOptions,
    private readonly engine: Engine,
    private readonly folder: ResultFolder,
    private readonly manifest: Manifest,
    private readonly groups: readonly CellGroup[],
  ) {}

  async finish(models: ReadonlyMap<string, ModelFiles>): Promise<RunOutcome> {
    const { progress, signal } = this.options;
    const missing = this.groups.reduce((total, group) => total + this.missingRows(group), 0);
    const cells = this.groups.flatMap((group) => group.cells);
    const reused = cells.reduce((total, cell) => total + cell.samples, 0) - missing;
    progress.start(missing, this.spec.name);
    try {
      for (const [name, files] of models) await this.runModel(name, files);
    } catch (error) {
      if (!signal.aborted) throw error;
      return { complete: false, manifest: this.manifest, cells, records: this.recordsOf(cells), reused };
    }
    const manifest = { ...this.manifest, finishedAt: new Date().toISOString() };
    this.folder.finish(cells, manifest);
    return { complete: true, manifest, cells, records: this.recordsOf(cells), reused };
  }

  private async runModel(name: string, files: ModelFiles): Promise<void> {
    const groups = this.groups.filter(({ group }) => group.model === name);
    if (groups.every((group) => this.missingRows(group) === 0)) return;
    this.options.progress.phase(`loading ${name}`);
    checkModelFits(this.engine, parameterBytes(files));
    const model = Transformer.load(this.engine, files);
    try {
      for (const variant of variantsOf(this.spec.pipelines)) {
        if (groups.every((group) => this.missingRows(group, variant) === 0)) continue;
        await withVariant(model, variant.request, { files, ...this.options }, async (weights) => {
          for (const group of groups) {
            for (let sample = 0; sample < group.group.samples; sample++) {
              await this.runSample(group, sample, files, weights, variant);
            }
          }
        });
      }
    } finally {
      model.dispose();
    }
  }

  private async runSample(
    group: CellGroup,
    index: number,
    files: ModelFiles,
    model: Transformer,
    variant: Variant,
  ): Promise<void> {
    const missing = variant.pipelines
      .map((p) => ({ pipeline: this.spec.pipelines[p]!, cell: group.cells[p]! }))
      .filter(({ cell }) => !this.folder.has(cell.key, index));
    if (missing.length === 0) return;
    const { progress, signal } = this.options;
    const { task, context, maxContext, seed, question, taskParams } = group.group;
    await group.task.prepare?.(taskParams, context);
    const sample = group.task.sample({
      contextLength: context,
      seed,
      index,
      params: taskParams,
      countTokens: (text) => files.tokenizer.encode(text).length,
    });
    const segments = buildSegments(files, sample, question, maxContext);
    const outcome = await runSample({
      model,
      kernels: this.kernels,
      pipelines: missing.map(({ pipeline }) => pipeline),
      segments,
      cacheDtype: this.spec.cacheDtype,
      maxNewTokens: sample.maxNewTokens,
      stopIds: stopIdsOf(files, sample),
      signal,
      onPhase: (phase, done, total) => {
        progress.phase(`${task} ${context} #${index}: ${phase} ${done}/${total}`);
      },
    });
    const { layers, kvHeads, headDim } = files.config;
    const length = segments.contextIds.length;
    missing.forEach(({ cell }, p) => {
      const result = outcome.pipelines[p]!;
      const prediction = files.tokenizer.decode(result.ids);
      this.folder.append({
        format: FORMAT_VERSION,
        cell: cell.key,
        sample: index,
        prediction,
        answers: sample.answers,
        score: group.task.score(prediction, sample.answers, sample),
        promptTokens: length,
        truncated: segments.truncated,
        generatedTokens: result.ids.length,
        keptTokens: result.keptTokens,
        ...(result.keptPerHead === undefined ? {} : { keptPerHead: result.keptPerHead }),
        fullBytes: layers * fullBytes({ kvHeads, headDim, length }, this.spec.cacheDtype),
        storedBytes: result.bytes,
        paperBytes: result.paperBytes,
        prefillSeconds: outcome.prefillSeconds,
        compressSeconds: result.compressSeconds,
        decodeSeconds: outcome.decodeSeconds,
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
      });
    });
    progress.tick(missing.length, `${task} ${context} #${index}`);
  }

  private missingRows({ cells, group }: CellGroup, variant?: Variant): number {
    let missing = 0;
    for (const [index, cell] of cells.entries()) {
      if (variant?.pipelines.includes(index) === false) continue;
      for (let sample = 0; sample < group.samples; sample++) {
        if (!this.folder.has(cell.key, sample)) missing++;
      }
    }
    return missing;
  }

  private recordsOf(cells: readonly CellInfo[]): SampleRecord[] {
    const keys = new Set(cells.map(({ key }) => key));
    return this.folder.records.filter(({ cell }) => keys.has(cell));
  }
}

function manifestOf(
  spec: ResolvedSpec,
  hash: string,
  engine: Engine,
  models: readonly ModelRecord[],
  groups: readonly CellGroup[],
  earlier: Manifest | undefined,
): Manifest {
  const data = new Map(
    groups.map(({ group: { task: name, taskParams }, task }) => {
      const digest = task.dataDigest(taskParams);
      return [`${name} ${digest}`, { task: name, digest }];
    }),
  );
  const manifest = createManifest(
    {
      name: spec.name,
      spec: spec.canonical,
      specHash: hash,
      engine: { name: engine.name, threads: engine.threads, versions: engine.versions },
      models,
      data: [...data.values()],
      cells: groups.flatMap(({ cells }) => cells),
    },
    spec.file,
  );
  return earlier === undefined ? manifest : { ...manifest, startedAt: earlier.startedAt };
}
