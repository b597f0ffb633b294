/**
 * From a spec file to a resolved spec: YAML, overrides, plug-ins, fields, tasks, pipelines, groups.
 *
 * All that is wrong with a file is reported at once, so that it is mended in one go.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { digestOf } from '../base/canonical-json.js';
import { SpecDocument } from './document.js';
import { applyFlags, type SpecFlags } from './flags.js';
import { applyOverride } from './overrides.js';
import { readPipelines } from './pipelines.js';
import { Problems } from './problems.js';
import { countRows, type RowCounts, rowsKey } from './row-counts.js';
import { ALL_ROWS, AXES, specSchema, type SpecFields } from './schema.js';
import { didYouMean } from '../base/did-you-mean.js';
import { readTasks, type TaskChoice } from './tasks.js';
import { MODEL_NAMES } from '../pull/models.js';
import { openRegistry, type Use } from '../registry/load-plugins.js';
import type { Registry } from '../registry/registry.js';
import type { PlainSpec, ResolvedSpec, SpecCatalogue, TaskCell } from './types.js';

export interface LoadOptions {
  /** `path=value`, applied in order. */
  readonly overrides?: readonly string[];
  /** Fields that options of a command replace, after the overrides. */
  readonly flags?: SpecFlags;
  /** What a relative `output` is relative to. Default: the current directory. */
  readonly directory?: string;
  /** Plug-ins beside those that the spec names. */
  readonly use?: readonly Use[];
}

export interface ResolveOptions extends Pick<LoadOptions, 'directory'> {
  readonly catalogue: SpecCatalogue;
  /** Of tasks whose rows have been counted, for `samples: all`. */
  readonly rows?: RowCounts;
}

/** What `plan` and `estimate` reckon with where rows have lengths of their own and a spec says nothing. */
const RECKONED_CONTEXT = 8192;

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

/** As `loadSpec`, of a spec that has been read; the overrides are then part of the document. */
export async function loadDocument(document: SpecDocument, options: LoadOptions = {}): Promise<ResolvedSpec> {
  for (const override of options.overrides ?? []) applyOverride(document, override);
  applyFlags(document, options.flags ?? {});
  const registry = await openRegistry([...usesOf(document), ...(options.use ?? [])]);
  return resolveWith(document, registry, options);
}

/** Validates and expands what has been read, with these methods and tasks. */
export async function resolveWith(
  document: SpecDocument,
  registry: Registry,
  options: Pick<LoadOptions, 'directory'> = {},
): Promise<ResolvedSpec> {
  const catalogue = { ...registry, models: MODEL_NAMES };
  const rows = await countRows(document, registry);
  return { ...resolveSpec(document, { ...options, catalogue, rows }), registry };
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

/** Validates and expands what has been read; `samples: all` needs the rows to be counted. */
export function resolveSpec(document: SpecDocument, options: ResolveOptions): PlainSpec {
  const problems = new Problems(document);
  const written = withLists(document.value);
  const checked = specSchema.safeParse(written);
  if (!checked.success) {
    problems.addIssues(checked.error.issues, specSchema, written, (path) => path.map(step), { axes: AXES });
  }
  const choices = readTasks(list(written['tasks']), {
    tasks: options.catalogue.tasks,
    samples: checked.data?.samples ?? 1,
    folder: document.folder,
    problems,
  });
  const pipelines = readPipelines(list(written['cache']), options.catalogue.methods, problems);
  checkModels(list(written['model']), options.catalogue.models, document.folder, problems);
  checkContext(written['context'], choices, options.catalogue.tasks, problems);
  const everywhere = written['samples'] === ALL_ROWS;
  const tasks = withCounts(choices, options.rows ?? new Map(), problems, everywhere ? 'samples' : 'tasks');
  problems.throwIfAny();

  const given = checked.data!;
  const fields = { ...given, context: given.context ?? [given.max_context ?? RECKONED_CONTEXT] };
  const groups = expandGroups(fields, tasks, options.catalogue.tasks);
  if (groups.length * pipelines.length > MAX_CELLS) {
    problems.add([], `the spec expands to ${groups.length * pipelines.length} cells, at most ${MAX_CELLS}`);
    problems.throwIfAny();
  }
  return {
    file: document.file,
    folder: document.folder,
    name: fields.name,
    output: resolve(options.directory ?? process.cwd(), fields.output ?? `results/${fields.name}`),
    cacheDtype: fields.cache_dtype,
    latency: fields.latency,
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
      latency: fields.latency,
    },
  };
}

/** sha256 (hex) of the resolved spec; paths are not part of it. */
export function specHash(spec: Pick<PlainSpec, 'canonical'>): string {
  return digestOf(spec.canonical);
}

/** A field that a task ignores is no axis for it: the first value stands for all. */
function expandGroups(
  fields: SpecFields & { readonly context: readonly number[] },
  tasks: readonly CountedTask[],
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

/** A task with the number of its samples. */
type CountedTask = Omit<TaskChoice, 'samples'> & { readonly samples: number };

/** `samples: all` as numbers. */
function withCounts(
  choices: readonly TaskChoice[],
  rows: RowCounts,
  problems: Problems,
  field: string,
): CountedTask[] {
  return choices.map((choice) => {
    const samples = choice.samples === ALL_ROWS ? rows.get(rowsKey(choice)) : choice.samples;
    if (samples === undefined) {
      problems.add(
        [field],
        `samples: all is for tasks on files with rows; ${choice.task} is generated without end. Expected a number: ${choice.task}: {samples: 20}`,
      );
    }
    return { ...choice, samples: samples ?? 1 };
  });
}

/** A context is asked for only where a task is generated for one. */
function checkContext(
  written: unknown,
  choices: readonly TaskChoice[],
  tasks: SpecCatalogue['tasks'],
  problems: Problems,
): void {
  if (written !== undefined) return;
  const generated = choices.find(({ task }) => tasks.get(task)!.ignores?.includes('context') !== true);
  if (generated === undefined) return;
  problems.add(
    ['context'],
    `context: expected the tokens of a sample, which ${generated.task} is generated for, got nothing`,
  );
}

/** A name of the catalogue, or something that can only be a path or an id on the hub. */
function checkModels(
  models: readonly unknown[],
  known: readonly string[],
  folder: string,
  problems: Problems,
): void {
  for (const [index, model] of models.entries()) {
    if (typeof model !== 'string' || model === '' || known.includes(model)) continue;
    if (/[/\\]|\.gguf$|^\./.test(model) || existsSync(resolve(folder, model))) continue;
    problems.add(
      ['model', index],
      `unknown model "${model}".${didYouMean(model, known)}  (spark-eval list models, a path: ./${model}, or an id on the hub: org/name)`,
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
