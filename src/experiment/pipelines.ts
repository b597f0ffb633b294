/**
 * The `cache` list as pipelines: `NAME`, `NAME: {parameters}`, a label as tables print it, or a list of these.
 *
 * `full` is always there and first, because all others are compared with it; equal labels are one pipeline.
 */
import { composedStep, compositionProblem } from '../methods/composition.js';
import type { MethodStep, Pipeline } from '../methods/types.js';
import { product } from './axes.js';
import type { Path } from './document.js';
import { FULL, pipelineLabel } from './label.js';
import { type Labelled, LabelFault, readFields, readSteps } from './label-reader.js';
import { expandParams, MAX_COMBINATIONS, type Params } from './params.js';
import type { Problems } from './problems.js';
import { ALL_LAYERS, LAYERS } from '../methods/types.js';
import { inputSchema } from '../base/describe.js';
import { didYouMean } from '../base/did-you-mean.js';
import type { SpecCatalogue } from './types.js';

type Methods = SpecCatalogue['methods'];

/** Every pipeline of the list, `full` first. What is wrong is added to `problems`. */
export function readPipelines(items: readonly unknown[], methods: Methods, problems: Problems): Pipeline[] {
  const pipelines = new Map<string, Pipeline>([[FULL, { label: FULL, steps: [] }]]);
  let made = 0;
  for (const [index, item] of items.entries()) {
    if (item === FULL) continue;
    const expanded = readPipeline(item, ['cache', index], methods, problems);
    made += expanded.length;
    if (made > MAX_COMBINATIONS) {
      problems.add(['cache'], `cache: expands to more than ${MAX_COMBINATIONS} pipelines`);
      break;
    }
    for (const steps of expanded) {
      const problem = compositionProblem(steps.map((step) => composedStep(step, methods.get(step.method)!)));
      if (problem !== undefined) {
        problems.add(['cache', index, problem.index, steps[problem.index]!.method], problem.reason, 'key');
        break;
      }
      const label = pipelineLabel(steps, methods);
      if (!pipelines.has(label)) pipelines.set(label, { label, steps });
    }
  }
  return [...pipelines.values()];
}

/** Every list of steps that one entry stands for. */
function readPipeline(item: unknown, path: Path, methods: Methods, problems: Problems): MethodStep[][] {
  const listed = Array.isArray(item);
  const written: unknown[] = listed ? item : [item];
  if (written.length === 0) {
    problems.expected(path, 'at least one step', item);
    return [];
  }
  const choices = written.flatMap((step, index) => {
    const at = listed ? [...path, index] : path;
    return typeof step === 'string'
      ? readStepsOfLabel(step, at, methods, problems)
      : [readStep(step, at, methods, problems)];
  });
  const count = choices.reduce((total, sets) => total * sets.length, 1);
  if (count > MAX_COMBINATIONS) {
    problems.add(
      path,
      `${problems.document.show(path)}: expands to ${count} pipelines, at most ${MAX_COMBINATIONS}`,
    );
    return [];
  }
  return product(choices);
}

/** Of each step of `snapkv(ratio=0.5)+spark(ratio=0.8)`, every parameter set. */
function readStepsOfLabel(
  label: string,
  path: Path,
  methods: Methods,
  problems: Problems,
): (readonly MethodStep[])[] {
  try {
    return readSteps(label).map((step) => readStepOfLabel(step, path, methods, problems));
  } catch (error) {
    if (!(error instanceof LabelFault)) throw error;
    problems.add(path, `${problems.document.show(path)}: ${error.message}`);
    return [[]];
  }
}

function readStepOfLabel(
  { name, inner }: Labelled,
  path: Path,
  methods: Methods,
  problems: Problems,
): MethodStep[] {
  const at = [...path, name];
  const known = methodOf(name, at, methods, problems);
  if (known === undefined) return [];
  const params = readFields(inner, known.params, { nested: known.nested, further: [LAYERS] });
  return stepsOf(name, params, known, at, problems);
}

/** Every parameter set of one step. */
function readStep(step: unknown, path: Path, methods: Methods, problems: Problems): MethodStep[] {
  const entries =
    typeof step === 'object' && step !== null && !Array.isArray(step) ? Object.entries(step) : [];
  if (entries.length !== 1) {
    const hint = entries.length > 1 ? '; steps that follow each other are written as a list, [{…}, {…}]' : '';
    problems.expected(path, `a method or {method: parameters}${hint}`, step);
    return [];
  }
  const [method, params] = entries[0] as [string, unknown];
  const at = [...path, method];
  const known = methodOf(method, at, methods, problems);
  if (known === undefined) return [];
  if (params !== null && (typeof params !== 'object' || Array.isArray(params))) {
    problems.expected(at, 'a mapping of parameters', params);
    return [];
  }
  return stepsOf(method, (params ?? {}) as Params, known, at, problems);
}

type KnownMethod = Methods extends ReadonlyMap<string, infer Known> ? Known : never;

function methodOf(name: string, at: Path, methods: Methods, problems: Problems): KnownMethod | undefined {
  if (name === FULL) {
    problems.add(at, `"${FULL}" stands alone and takes no parameters`, 'key');
    return undefined;
  }
  const known = methods.get(name);
  if (known === undefined) {
    const suggestion = didYouMean(name, [FULL, ...methods.keys()]);
    problems.add(at, `unknown method "${name}".${suggestion}  (spark-eval list methods)`, 'key');
  }
  return known;
}

function stepsOf(
  method: string,
  params: Params,
  known: KnownMethod,
  at: Path,
  problems: Problems,
): MethodStep[] {
  const { [LAYERS]: layers, ...rest } = params;
  // a method may have a parameter of that name
  const own = layers !== undefined && inputSchema(known.params).properties?.[LAYERS] !== undefined;
  if (layers !== undefined && !own && layers !== ALL_LAYERS) {
    problems.expected([...at, LAYERS], `"${ALL_LAYERS}" (sliding layers too), or nothing`, layers);
    return [];
  }
  const written = own ? { ...rest, [LAYERS]: layers } : rest;
  return expandParams(written, known.params, at, problems, [LAYERS], known.nested).map((set) => ({
    method,
    params: layers === undefined || own ? set : { ...set, [LAYERS]: ALL_LAYERS },
  }));
}
