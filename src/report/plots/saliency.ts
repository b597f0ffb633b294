/**
 * Channel saliency of single tokens as a picture.
 *
 * After Figure 2 of arXiv 2508.15212: which channels matter differs from token to token, so a mask per token loses less
 * than one for all.
 */
import { slug } from './block-plot.js';
import { framed } from './look.js';
import type { Plot } from './types.js';

/** Saliency of one KV head of one prompt, as it is exported beside the plot. */
export interface SaliencyData {
  readonly model: string;
  readonly task: string;
  readonly context: number;
  readonly seed: number;
  readonly sample: number;
  readonly layer: number;
  readonly head: number;
  /** S */
  readonly promptTokens: number;
  /** Of the tokens in `saliency`, ascending. */
  readonly positions: readonly number[];
  /** w of these tokens, `[tokens][D]`. */
  readonly saliency: readonly (readonly number[])[];
  /** Ratio behind `keptShare`. */
  readonly ratio: number;
  /** Share of all S tokens that keep a channel when each token keeps its own best, `[D]`. */
  readonly keptShare: readonly number[];
  /** Standard deviation over mean of a channel's saliency over all S tokens, mean over channels. */
  readonly variation: number;
}

export function saliencyPlot(data: SaliencyData): Plot {
  const { model, task, context, sample, layer, head, positions, saliency, keptShare, ratio } = data;
  const title = `Channel saliency: ${model}, layer ${layer}, KV head ${head}`;
  const notes = [
    `${task}, context ${context}, sample ${sample}; ${positions.length} of ${data.promptTokens} tokens, evenly spaced`,
    `coefficient of variation over tokens, mean of all channels: ${data.variation.toFixed(2)}`,
  ];
  const x = {
    field: 'channel',
    type: 'ordinal',
    title: 'channel',
    axis: { labelAngle: 0, values: keptShare.map((_, j) => j).filter((j) => j % 8 === 0) },
  } as const;
  const width = { step: keptShare.length > 96 ? 5 : 8 };
  return {
    kind: 'saliency',
    name: slug('saliency', model, `l${layer}h${head}`),
    title,
    notes,
    series: new Map(),
    spec: {
      ...framed(title, notes),
      vconcat: [
        {
          width,
          height: { step: 6 },
          data: { values: cellsOf(positions, saliency) },
          mark: { type: 'rect', aria: false },
          encoding: {
            x: { ...x, title: null },
            y: {
              field: 'token',
              type: 'ordinal',
              title: 'token',
              axis: { values: positions.filter((_, row) => row % 8 === 0) },
            },
            color: {
              field: 'share',
              type: 'quantitative',
              title: ['% of its', "token's saliency"],
              scale: { type: 'sqrt', scheme: 'viridis' },
            },
          },
        },
        {
          width,
          height: 90,
          data: { values: keptShare.map((kept, channel) => ({ channel, kept: round(100 * kept) })) },
          mark: { type: 'bar', aria: false, color: '#4c78a8' },
          encoding: {
            x,
            y: {
              field: 'kept',
              type: 'quantitative',
              title: ['tokens that keep it, %', `(ratio ${ratio})`],
              scale: { domain: [0, 100] },
            },
          },
        },
      ],
    },
  };
}

function cellsOf(positions: readonly number[], saliency: SaliencyData['saliency']) {
  return positions.flatMap((token, row) => {
    const own = saliency[row]!;
    const sum = own.reduce((total, w) => total + w, 0);
    return own.map((w, channel) => ({ token, channel, share: sum === 0 ? 0 : round((100 * w) / sum) }));
  });
}

/** Three digits behind the point: what a colour can show. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
