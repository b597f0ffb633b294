/**
 * Runs jobs in this process: from a job to its records.
 *
 * One model and one weight set of it stay loaded from job to job, so jobs that share them come one after the other.
 */
import { withTextPath } from '../experiment/paths.js';
import { fullCacheBytes } from '../cache/bytes.js';
import { NoFactors } from '../calibration/recalkv.js';
import type { Engine } from '../engine/types.js';
import { UserError } from '../base/errors.js';
import { openCrew, type Crew } from '../kernels/crew.js';
import { openKernels, type Kernels } from '../kernels/index.js';
import { Transformer } from '../model/transformer.js';
import type { ModelFiles } from '../checkpoint/types.js';
import { FORMAT_VERSION } from '../results/types.js';
import type { ResolvedSpec } from '../experiment/types.js';
import { countsOf, TaskOpener } from '../experiment/task-opener.js';
import { scoreAnswer } from '../tasks/score-answer.js';
import type { Latency, LatencySettings } from '../results/latency.js';
import type { OpenTask, Sample } from '../tasks/types.js';
import type { Failure, Job, JobRecord, JobRunner } from './jobs.js';
import { expectModelFits } from './models.js';
import type { Progress } from './progress.js';
import { buildSegments, stopIdsOf, type Segments } from './sample/prompt.js';
import { measureRow } from './sample/measure-row.js';
import { sampleName } from './sample/sample-name.js';
import { runSample } from './sample/run-sample.js';
import { weightSetsOf } from '../methods/weight-sets.js';
import { openWeightSet, type OpenWeightSet, type WeightSetContext } from './open-weight-set.js';
import { toWorkerError } from './worker-error.js';

/** What the jobs of a process share. */
export interface JobContext {
  readonly spec: ResolvedSpec;
  readonly engine: Engine;
  /** Most that packed caches may take; by default as much as can be addressed. */
  readonly cacheBytes?: number | undefined;
  /** The files of a model of the spec, open. */
  readonly filesOf: (model: string) => Promise<ModelFiles> | ModelFiles;
  /** Opens the tasks; by default one of the runner's own. */
  readonly opener?: TaskOpener | undefined;
  readonly progress: Pick<Progress, 'phase' | 'log'>;
  readonly signal?: AbortSignal | undefined;
}

interface LoadedModel extends Pick<WeightSetContext, 'files' | 'knownScores'> {
  readonly weights: Transformer;
}

/** Runs jobs in this process. */
export class LocalRunner implements JobRunner {
  private readonly kernels: Kernels;
  private crew: Crew | undefined;
  private model: LoadedModel | undefined;
  private weightSet: (OpenWeightSet & { readonly index: number }) | undefined;
  /** By model and weight set: they are not looked for again. */
  private readonly noFactors = new Map<string, NoFactors>();
  private task: { readonly group: number; readonly opened: OpenTask } | undefined;
  private readonly opener: TaskOpener;

  constructor(private readonly context: JobContext) {
    const { cacheBytes, opener } = context;
    this.opener = opener ?? new TaskOpener(context.spec.registry.tasks, context.spec.folder);
    this.kernels = openKernels(cacheBytes === undefined ? {} : { maxBytes: cacheBytes });
  }

  async run(job: Job): Promise<readonly JobRecord[]> {
    const { spec, progress, signal } = this.context;
    const group = spec.groups[job.group]!;
    const loaded = await this.load(group.model, job.weightSet);
    if (loaded instanceof NoFactors) return this.without(job, loaded);
    const { files, weights } = loaded;
    const made = await this.make(job, files);
    if (made instanceof UserError) return this.without(job, made);
    const { task, sample, segments } = made;
    const [question] = sample.questions;
    const what = sampleName(group, job.sample);
    const outcome = await runSample({
      model: weights,
      kernels: this.kernels,
      methods: spec.registry.methods,
      pipelines: job.missing.map(({ pipeline }) => spec.pipelines[pipeline]!),
      segments,
      cacheDtype: spec.cacheDtype,
      maxNewTokens: question.maxNewTokens,
      stopIds: stopIdsOf(files, question),
      signal,
      onPhase: (phase, done, total) => {
        progress.phase(`${what}: ${phase} ${done}/${total}`);
      },
    }).catch((error: unknown) => {
      throw error instanceof UserError ? error.at(what) : error;
    });
    const { kvHeads, headDim, windows } = files.config;
    const length = segments.contextIds.length;
    return job.missing.map(({ cell }, p) => {
      const result = outcome.pipelines[p]!;
      if (result instanceof UserError) {
        return { cell, sample: job.sample, error: toWorkerError(result.at(what)) };
      }
      const prediction = files.tokenizer.decode(result.ids);
      return {
        format: FORMAT_VERSION,
        cell,
        sample: job.sample,
        prediction,
        answers: question.answers,
        score: scoreAnswer(task, prediction, question, {
          name: group.task,
          index: job.sample,
          place: sample.place,
        }),
        promptTokens: length,
        truncated: segments.truncated,
        ...(sample.depths === undefined ? {} : { depths: sample.depths }),
        generatedTokens: result.ids.length,
        keptTokens: result.keptTokens,
        ...(result.keptPerHead === undefined ? {} : { keptPerHead: result.keptPerHead }),
        fullBytes: fullCacheBytes({ kvHeads, headDim, length }, windows, spec.cacheDtype),
        storedBytes: result.bytes,
        paperBytes: result.paperBytes,
        prefillSeconds: outcome.prefillSeconds,
        compressSeconds: result.compressSeconds,
        decodeSeconds: outcome.decodeSeconds,
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
      };
    });
  }

  /** How fast a pipeline is alone, on the first sample of a group; undefined where it cannot be applied to it. */
  async measure(
    { group, pipeline }: { readonly group: number; readonly pipeline: number },
    settings: LatencySettings,
  ): Promise<Latency | undefined> {
    const { spec, signal } = this.context;
    const weightSet = weightSetsOf(spec.pipelines, spec.registry.methods).findIndex(({ pipelines }) =>
      pipelines.includes(pipeline),
    );
    const loaded = await this.load(spec.groups[group]!.model, weightSet);
    if (loaded instanceof NoFactors) return undefined;
    const made = await this.make({ group, sample: 0 }, loaded.files);
    if (made instanceof UserError) return undefined;
    return measureRow(
      {
        model: loaded.weights,
        kernels: this.kernels,
        methods: spec.registry.methods,
        pipelines: [spec.pipelines[pipeline]!],
        segments: made.segments,
        cacheDtype: spec.cacheDtype,
        signal,
      },
      settings,
    );
  }

  /** The sample of a job, or why it cannot be made: that is then its own error, and the others are computed. */
  private async make(
    { group: index, sample: number }: Pick<Job, 'group' | 'sample'>,
    files: ModelFiles,
  ): Promise<{ task: OpenTask; sample: Sample; segments: Segments } | UserError> {
    const { question, maxContext } = this.context.spec.groups[index]!;
    const task = await this.open(index, files);
    try {
      const sample = await task.sample(number);
      return { task, sample, segments: buildSegments(files, sample, question, maxContext) };
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  /** That none of the job's pipelines can be applied: to this sample, or with the weights that they have in common. */
  private without({ group, sample, missing }: Job, error: UserError): Failure[] {
    const { groups, pipelines } = this.context.spec;
    const what = sampleName(groups[group]!, sample);
    return missing.map(({ pipeline, cell }) => ({
      cell,
      sample,
      error: toWorkerError(error.at(pipelines[pipeline]!.label).at(what)),
    }));
  }

  /** The task of a group; the one that was opened last is kept. */
  private async open(group: number, { tokenizer }: ModelFiles): Promise<OpenTask> {
    if (this.task?.group !== group) {
      const opened = await this.opener.open(this.context.spec.groups[group]!, countsOf(tokenizer));
      this.task = { group, opened };
    }
    return this.task.opened;
  }

  close(): void {
    this.unload();
    this.crew?.close();
    this.crew = undefined;
  }

  private unload(): void {
    this.weightSet?.close();
    this.model?.weights.dispose();
    this.weightSet = undefined;
    this.model = undefined;
  }

  /** The threads of the kernels, started once. */
  private async threads(): Promise<Crew> {
    const { engine, progress } = this.context;
    return (this.crew ??= await openCrew(engine.threads, (line) => {
      progress.log(line);
    }));
  }

  /** The weight set's weights, or why there are none; what was loaded before goes, where it is another. */
  private async load(
    name: string,
    index: number,
  ): Promise<{ files: ModelFiles; weights: Transformer } | NoFactors> {
    const { spec, engine, filesOf, progress, signal } = this.context;
    if (this.model?.files.name !== name) {
      this.unload();
      const files = await filesOf(name);
      progress.phase(`loading ${name}`);
      expectModelFits(engine, files.config);
      this.model = {
        files,
        weights: Transformer.load(engine, files, await this.threads()),
        knownScores: new Map(),
      };
    }
    const { files, weights, knownScores } = this.model;
    if (this.weightSet?.index !== index) {
      const known = this.noFactors.get(`${name} ${index}`);
      if (known !== undefined) return known;
      this.weightSet?.close();
      this.weightSet = undefined;
      const { request: asked } = weightSetsOf(spec.pipelines, spec.registry.methods)[index]!;
      const request = asked && withTextPath(asked, spec.folder);
      try {
        this.weightSet = {
          index,
          ...(await openWeightSet(weights, request, { files, knownScores, progress, signal })),
        };
      } catch (error) {
        if (!(error instanceof NoFactors)) throw error;
        this.noFactors.set(`${name} ${index}`, error);
        return error;
      }
    }
    return { files, weights: this.weightSet.model };
  }
}
