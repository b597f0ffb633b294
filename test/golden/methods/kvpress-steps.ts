/** Golden cases of kvpress' presses as steps of a pipeline: what each name and its parameters mean here. */
import { curBy } from '../../../src/methods/token/cur.js';
import { compactorBy } from '../../../src/methods/token/compactor.js';
import { leverageBy } from '../../../src/methods/token/leverage.js';
import type { Sketch } from '../../../src/methods/sketch.js';
import { methods } from '../../../src/methods/built-in.js';
import type { Method, MethodStep } from '../../../src/methods/types.js';

export interface Case {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly provenance: string;
}

type Params = Readonly<Record<string, unknown>>;

/** A case that is run; `methods` knows its steps by name. */
export interface GoldenSteps {
  readonly steps: readonly MethodStep[];
  readonly methods: ReadonlyMap<string, Method>;
}

/** Reads a tensor of the folder by its name. */
export type ReadTensor = (name: string) => Float32Array;

/** Cases that are not run, by name, and why. */
export const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [
    /^chunkpress\(snapkv.* released$/,
    'queries of every chunk at the last positions: a mistake; "intended" is run',
  ],
  [/^duo /, 'not built yet'],
  [/^qfilter /, 'not built yet'],
];

/** Undefined where nothing here stands for the case. */
export function stepsOfCase({ name, params }: Case, read: ReadTensor): GoldenSteps | undefined {
  const [, outer] = /^(\w+)/.exec(name)!;
  const builder = BUILDERS[outer!];
  if (builder === undefined) return undefined;
  const [method, written] = builder(params, name);
  const known = withSketch(method, params, read);
  const clean = JSON.parse(JSON.stringify(written)) as Params;
  const parsed = known.get(method)!.params.parse(clean) as Params;
  return { steps: [{ method, params: parsed }], methods: known };
}

const BUILDERS: Readonly<Record<string, (params: Params, name: string) => readonly [string, Params]>> = {
  cur: ({ ratio, leverage_type: leverage, window, sinks, random_leverage }) => [
    'cur',
    { ratio, leverage, window: window ?? 0, sinks, random_leverage },
  ],
  leverage: ({ ratio, sketch_dimension: sketch }) => ['leverage', { ratio, sketch }],
  noncausal: ({ ratio, chunk, scaled }) => [
    'noncausal',
    { ratio, chunk, variant: scaled === true ? 'scaled' : 'released' },
  ],
  compactor: ({ ratio, chunk, blending, first, last, sketch_dimension: sketch, scaled }) => [
    'compactor',
    { ratio, chunk, blending, first, last, sketch, variant: scaled === true ? 'scaled' : 'released' },
  ],
  cap: ({ ratio, tau, n_future: horizon, sinks }) => ['cap', { ratio, tau, horizon, sinks }],
  lagkv: ({ lag, sinks, cross_scoring, ratio, budget }) => [
    'lagkv',
    { lag, sinks, cross_scoring, ...(budget === undefined ? { ratio } : { budget }) },
  ],
  entropy_gated: (params) => [
    'entropy_gated',
    { ...scoredBy(params), chunk: params['chunk'], low: params['low'], ratio: params['ratio'] },
  ],
  chunkkv: (params, name) => [
    'chunkkv',
    {
      ...scoredBy({ ...params, base: /\((\w+)/.exec(name)![1], window: windowIn(name) }),
      chunk: params['chunk'],
      ratio: params['ratio'],
    },
  ],
  chunkpress: (params) => ['chunk', { ...scoredBy(params), chunk: params['chunk'], ratio: params['ratio'] }],
  block: ({ block, ratio }) => ['block', { base: 'keydiff', block, ratio }],
  simlayerkv: ({ threshold, recent, initial }) => ['simlayerkv', { threshold, recent, initial }],
  rerotate: (params) => ['rerotate', { ...scoredBy(params), ratio: params['ratio'] }],
  finch: ({ window, ratio, normalize, rerotate, chunk }) => [
    'finch',
    { window, ratio, normalize, rerotate, chunk: chunk ?? undefined },
  ],
  merging: (params) => [
    'merge',
    {
      ...scoredBy(params),
      ratio: params['ratio'],
      threshold: params['similarity_threshold'],
      fraction: params['merge_fraction'],
    },
  ],
  per_layer: (params) => [
    'per_layer',
    { ...scoredBy(params), ratios: Object.fromEntries((params['ratios'] as number[]).entries()) },
  ],
};

/** Base and its window, as kvpress runs it; a window that is null is none. */
function scoredBy({ base, window }: Params): Params {
  return { base, with: typeof window === 'number' ? { window } : {} };
}

function windowIn(name: string): number | undefined {
  const [, window] = /window=(\d+)\)/.exec(name) ?? [];
  return window === undefined ? undefined : Number(window);
}

/** The registry with a method that takes the random numbers of the case. */
function withSketch(method: string, params: Params, read: ReadTensor): ReadonlyMap<string, Method> {
  const tensor = params['sketch'];
  if (typeof tensor !== 'string') return methods;
  const numbers = read(tensor);
  const sketch: Sketch = ({ layer, head, rows, columns }) => {
    const perHead = rows * columns;
    const heads = tensor.endsWith('cur_sketch') ? 1 : 2;
    const at = (layer * heads + head) * perHead;
    return numbers.slice(at, at + perHead);
  };
  const made = { cur: curBy, leverage: leverageBy, compactor: compactorBy }[method]!(sketch);
  return new Map([...methods, [method, made]]);
}
