/**
 * Another ratio in each layer for the same score (PerLayerCompression of kvpress).
 */
import * as z from 'zod';
import { checkBaseUnder, methodOfBase, scorerFields } from './base-scorer.js';

/** `3` or `0-5`. */
const RANGE = /^(\d{1,5})(?:-(\d{1,5}))?$/;

const params = z
  .strictObject({
    ...scorerFields(),
    ratios: z
      .record(z.string().regex(RANGE), z.number().min(0).lt(1))
      .default({})
      .describe(
        'fraction of the tokens evicted, in [0, 1), by layer or range of layers, counted from 0: {0-1: 0.2, 5: 0.7}; layers that are not named keep everything',
      ),
  })
  .check((context) => {
    const { ratios } = context.value;
    const seen = new Set<number>();
    for (const range of Object.keys(ratios)) {
      const [from, to] = endsOf(range);
      const twice = layersOf(range).find((layer) => seen.has(layer));
      const fault =
        to < from
          ? 'expected the lower layer first'
          : twice === undefined
            ? undefined
            : `layer ${twice} is named twice`;
      if (fault !== undefined) {
        context.issues.push({
          code: 'custom',
          input: context.value,
          path: ['ratios', range],
          message: fault,
        });
        return;
      }
      for (const layer of layersOf(range)) seen.add(layer);
    }
    checkBaseUnder(context, { ...context.value, ratio: Math.max(0, ...Object.values(ratios)) });
  });

type PerLayerParams = z.infer<typeof params>;

export const perLayer = methodOfBase<PerLayerParams>({
  name: 'per_layer',
  summary: "evicts by another method's scores, another fraction of the tokens in each layer",
  paper: 'none: PerLayerCompressionPress of kvpress',
  stores: 'keys and values of the kept tokens, dense; layers keep different numbers of them',
  notes: [
    'kvpress takes one ratio for every layer of its model; here layers that are not named keep everything.',
    'Over pyramidkv and knorm with whole layers, what these keep in a layer goes before its ratio.',
  ],
  params,
  observes: [],
  sizedBy: ['ratios'],
  budget: ({ ratios }, layer) => ({ ratio: ratioOf(ratios, layer) }),
  layers: ({ ratios }) => Object.keys(ratios).flatMap((range) => endsOf(range)),
});

function endsOf(range: string): readonly [number, number] {
  const [, from, to] = RANGE.exec(range) ?? [];
  return [Number(from), Number(to ?? from)];
}

function layersOf(range: string): number[] {
  const [from, to] = endsOf(range);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

function ratioOf(ratios: PerLayerParams['ratios'], layer: number): number {
  const range = Object.keys(ratios).find((name) => {
    const [from, to] = endsOf(name);
    return layer >= from && layer <= to;
  });
  return range === undefined ? 0 : ratios[range]!;
}
