/**
 * From a spec file to a resolved spec.
 *
 * Decides the order of reading: YAML, overrides, fields, tasks, pipelines; and the order of the groups. All that
 * is wrong with a file is reported at once. Knows nothing of what methods and tasks do.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { digestOf } from '../base/canonical-json.js';
import { SpecDocument } from './document.js';
import { applyOverride } from './overrides.js';
import { readPipelines } from './pipelines.js';
import { Problems } from './problems.js';
import { AXES, specSchema, type SpecFields } from './schema.js';
import { didYouMean } from '../base/did-you-mean.js';
import { readTasks, type TaskChoice } from './tasks.js';
import { MODEL_NAMES } from '../pull/models.js';
import { openRegistry, type Use } from '../registry/load-plugins.js';
import type { PlainSpec, ResolvedSpec, SpecCatalogue, TaskCell } from './types.js';

export interface LoadOptions {
  /** `path=value`, applied in order. */
  readonly overrides?: readonly string[];
  /** What a relative `output` is relative to. Default: the current directory. */
  readonly directory?: string;
  /** Plug-ins beside those that the spec names. */
  readonly use?: readonly Use[];
}

export interface ResolveOptions extends Pick<LoadOptions, 'directory'> {
  readonly catalogue: SpecCatalogue;
}

/** Most rows (group × pipeline) of a run. */
const MAX_CELLS = 100_000;

/**
 * Reads, validates and expands a spec file, and loads the plug-ins that it names.
 *
 * @throws UserError (exit code 2) with everything that is wrong
 */
export async function loadSpec(file: string, options: LoadOptions = {}): Promise<ResolvedSpec> {
  return loadDocument(SpecDocument.read(file), options);
}

/** As `loadSpec`, of a spec that has been read. */
export async function loadDocument(document: SpecDocument, options: LoadOptions = {}): Promise<ResolvedSpec> {
  for (const override of options.overrides ?? []) applyOverride(document, override);
  const registry = await openRegistry([...usesOf(document), ...(options.use ?? [])]);
  const catalogue = { ...registry, models: MODEL_NAMES };
  return { ...resolveSpec(document, { ...options, catalogue }), registry };
}

/** The plug-ins that a spec names; what is wrong with the field is told with the other fields. */
function usesOf(document: SpecDocument): Use[] {
  const written = document.value['use'];
  const uses = Array.isArray(written) ? (written as unknown[]) : [written];
  return uses.flatMap((use, u) =>
    typeof use === 'string' && use !== ''
      ? [{ use, folder: document.folder, place: document.place(['use', u]) }]
      : [],
  );
}

/** Validates and expands what has been read. */
export function resolveSpec(document: SpecDocument, options: ResolveOptions): PlainSpec {
  const problems = new Problems(document);
  const written = withLists(document.value);
  const checked = specSchema.safeParse(written);
  if (!checked.success) {
    problems.addIssues(checked.error.issues, specSchema, written, (path) => path.map(step), { axes: AXES });
  }
  const tasks = readTasks(
    list(written['tasks']),
    checked.data?.samples ?? 1,
    options.catalogue.tasks,
    problems,
  );
  const pipelines = readPipelines(list(written['cache']), options.catalogue.methods, problems);
  checkModels(list(written['model']), options.catalogue.models, problems);
  problems.throwIfAny();

  const fields = checked.data!;
  const groups = expandGroups(fields, tasks, options.catalogue.tasks);
  if (groups.length * pipelines.length > MAX_CELLS) {
    problems.add([], `the spec expands to ${groups.length * pipelines.length} cells, at most ${MAX_CELLS}`);
    problems.throwIfAny();
  }
  return {
    file: document.file,
    name: fields.name,
    output: resolve(options.directory ?? process.cwd(), fields.output ?? `results/${fields.name}`),
    cacheDtype: fields.cache_dtype,
    pipelines,
    groups,
    canonical: {
      name: fields.name,
      model: unique(fields.model),
      tasks,
      context: unique(fields.context),
      max_context: fields.max_context,
      seed: unique(fields.seed),
      question: unique(fields.question),
      cache: pipelines,
      cache_dtype: fields.cache_dtype,
    },
  };
}

/** sha256 (hex) of the resolved spec; paths are not part of it. */
export function specHash(spec: Pick<PlainSpec, 'canonical'>): string {
  return digestOf(spec.canonical);
}

/** A field that a task ignores is no axis for it: the first value stands for all. */
function expandGroups(
  fields: SpecFields,
  tasks: readonly TaskChoice[],
  known: SpecCatalogue['tasks'],
): TaskCell[] {
  const valuesFor = (task: string, field: 'context' | 'seed'): number[] =>
    known.get(task)!.ignores?.includes(field) === true ? fields[field].slice(0, 1) : unique(fields[field]);
  return unique(fields.model).flatMap((model) =>
    tasks.flatMap(({ task, params, samples }) =>
      valuesFor(task, 'context').flatMap((context) =>
        valuesFor(task, 'seed').flatMap((seed) =>
          unique(fields.question).map((question) => ({
            model,
            task,
            taskParams: params,
            context,
            ...(fields.max_context === undefined ? {} : { maxContext: fields.max_context }),
            seed,
            samples,
            question,
          })),
        ),
      ),
    ),
  );
}

/** A name of the catalogue, or something that can only be a path. */
function checkModels(models: readonly unknown[], known: readonly string[], problems: Problems): void {
  for (const [index, model] of models.entries()) {
    if (typeof model !== 'string' || model === '' || known.includes(model)) continue;
    if (/[/\\]|\.gguf$|^\./.test(model) || existsSync(model)) continue;
    problems.add(
      ['model', index],
      `unknown model "${model}".${didYouMean(model, known)}  (spark-eval list models, or a path: ./${model})`,
    );
  }
}

/** A single value of an axis as a list of one. */
function withLists(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const lists = AXES.filter((axis) => fields[axis] !== undefined && fields[axis] !== null).map(
    (axis) => [axis, Array.isArray(fields[axis]) ? fields[axis] : [fields[axis]]] as const,
  );
  return { ...fields, ...Object.fromEntries(lists) };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function step(key: PropertyKey): string | number {
  return typeof key === 'number' ? key : String(key);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
