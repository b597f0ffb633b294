/**
 * The `cache` list as pipelines.
 *
 * Decides the forms in which a pipeline may be written, that `full` is always there and first, and that pipelines
 * with the same label are kept once. Knows nothing of what a method does.
 */
import { composedStep, compositionProblem } from '../methods/composition.js';
import type { MethodStep, Pipeline } from '../methods/types.js';
import { product } from './axes.js';
import type { Path } from './document.js';
import { FULL, pipelineLabel } from './label.js';
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
  const variants = written.map((step, index) =>
    readStep(step, listed ? [...path, index] : path, methods, problems),
  );
  const count = variants.reduce((total, choices) => total * choices.length, 1);
  if (count > MAX_COMBINATIONS) {
    problems.add(
      path,
      `${problems.document.show(path)}: expands to ${count} pipelines, at most ${MAX_COMBINATIONS}`,
    );
    return [];
  }
  return product(variants);
}

/** Every parameter set of one step. */
function readStep(step: unknown, path: Path, methods: Methods, problems: Problems): MethodStep[] {
  const entries =
    typeof step === 'object' && step !== null && !Array.isArray(step) ? Object.entries(step) : [];
  if (typeof step !== 'string' && entries.length !== 1) {
    const hint = entries.length > 1 ? '; steps that follow each other are written as a list, [{…}, {…}]' : '';
    problems.expected(path, `a method or {method: parameters}${hint}`, step);
    return [];
  }
  const [method, params] = typeof step === 'string' ? [step, {}] : (entries[0] as [string, unknown]);
  const paramsPath = [...path, method];
  if (method === FULL) {
    problems.add(paramsPath, `"${FULL}" stands alone and takes no parameters`, 'key');
    return [];
  }
  const known = methods.get(method);
  if (known === undefined) {
    const suggestion = didYouMean(method, [FULL, ...methods.keys()]);
    problems.add(paramsPath, `unknown method "${method}".${suggestion}  (spark-eval list methods)`, 'key');
    return [];
  }
  if (params !== null && (typeof params !== 'object' || Array.isArray(params))) {
    problems.expected(paramsPath, 'a mapping of parameters', params);
    return [];
  }
  const { [LAYERS]: layers, ...rest } = (params ?? {}) as Params;
  // a method may have a parameter of that name
  const own = layers !== undefined && inputSchema(known.params).properties?.[LAYERS] !== undefined;
  if (layers !== undefined && !own && layers !== ALL_LAYERS) {
    problems.expected([...paramsPath, LAYERS], `"${ALL_LAYERS}" (sliding layers too), or nothing`, layers);
    return [];
  }
  const written = own ? { ...rest, [LAYERS]: layers } : rest;
  return expandParams(written, known.params, paramsPath, problems, [LAYERS], known.nested).map((set) => ({
    method,
    params: layers === undefined || own ? set : { ...set, [LAYERS]: ALL_LAYERS },
  }));
}
