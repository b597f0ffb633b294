/**
 * One layer of a decode step in the kernels: what is before attention, and what is behind it.
 *
 * Threads share out the outputs of products and the rows of all else. The facts of the configuration say what there is to do, as
 * in `transformer.ts`, which does the same for whole prompts.
 * Alphabet: S tokens, E model width, H query heads, KV key/value heads, D head width, F MLP width.
 */
import type { ModelConfig } from '../checkpoint/types.js';
import type { Rows, StepKernels } from '../kernels/step.js';
import type { HostMatrix, HostVector } from './build-layers.js';
import { expertsOnHost } from './host-experts.js';
import { activateRows, eachRow, heightOf, multiply, type HostSite } from './host-rows.js';
import type { LayerParts, Mlp, Norm } from './layer-weights.js';
import { rowsFrom } from './workspace.js';

export type HostLayer = LayerParts<HostMatrix, HostVector>;

/** What follows the last layer. */
export interface HostHead {
  readonly norm: Norm<HostVector>;
  /** `[V, E]` */
  readonly matrix: HostMatrix;
}

/** Tokens whose inner activations exist at once. */
const INNER_ROWS = 256;

/** `space.x` → `space.qkv` of `count` tokens, head norms applied, before RoPE. */
export function projectOnHost(site: HostSite, layer: HostLayer, count: number): void {
  const { config, space } = site;
  const { heads: H, kvHeads: KV, headDim: D, hidden: E } = config;
  const x = space.rows('x', count, E);
  const qkv = space.rows('qkv', count, (H + 2 * KV) * D);
  const read = normed(site, layer.attentionNorm, x, count);
  multiply(site, [{ matrix: layer.qkv, bias: layer.qkvBias, x: read, out: qkv }], count);
  if (config.headNorm === 'none') return;
  const parts = [
    { from: 0, heads: H, norm: layer.queryNorm! },
    { from: H, heads: KV, norm: layer.keyNorm! },
  ];
  eachRow(site, count, { width: (H + KV) * D, calls: 2 }, (kernels, first, some) => {
    for (let t = first; t < first + some; t++) {
      for (const { from, heads, norm } of parts) {
        const at = qkv.at + t * qkv.stride + 4 * from * D;
        const [rows, width] = config.headNorm === 'head' ? [heads, D] : [1, heads * D];
        const part = { at, stride: 4 * width };
        kernels.norm(false, part, rows, width, { weight: norm.at, bias: 0, eps: config.normEps }, part);
      }
    }
  });
}

/** `space.attended` and `space.x` of `count` tokens → the layer's output in `space.x`. */
export function finishOnHost(site: HostSite, layer: HostLayer, count: number): void {
  const { config, space } = site;
  const { hidden: E } = config;
  const x = space.rows('x', count, E);
  const added = space.rows('added', count, E);
  const attended = space.rows('attended', count, config.heads * config.headDim);
  multiply(site, [{ matrix: layer.output, bias: layer.outputBias, x: attended, out: added }], count);
  const early = config.parallel ? normed(site, layer.mlpNorm ?? layer.attentionNorm, x, count) : undefined;
  addNormed(site, x, added, layer.attentionOutNorm, count);
  const read = early ?? normed(site, layer.mlpNorm, x, count);
  for (let from = 0; from < count; from += INNER_ROWS) {
    const some = Math.min(INNER_ROWS, count - from);
    behindAttention(site, layer, rowsFrom(read, from), some, rowsFrom(added, from));
  }
  addNormed(site, x, added, layer.mlpOutNorm, count);
}

function behindAttention(site: HostSite, { mlp }: HostLayer, x: Rows, count: number, out: Rows): void {
  if ('experts' in mlp) expertsOnHost(site, mlp, x, count, out);
  else mlpOnHost(site, mlp, x, count, out);
}

/** `x [S, E]` → `out [S, E]`. */
export function mlpOnHost(
  site: HostSite,
  mlp: Mlp<HostMatrix, HostVector>,
  x: Rows,
  count: number,
  out: Rows,
): void {
  const { space } = site;
  const width = heightOf(mlp.up); // F
  const up = space.rows('up', Math.min(INNER_ROWS, count), width);
  const gate = mlp.gate === undefined ? up : space.rows('gate', Math.min(INNER_ROWS, count), width);
  const products = [{ matrix: mlp.up, bias: mlp.upBias, x, out: up }];
  if (mlp.gate !== undefined) products.push({ matrix: mlp.gate, bias: mlp.gateBias, x, out: gate });
  multiply(site, products, count);
  activateRows(site, { gate, up: mlp.gate === undefined ? undefined : up }, width, count);
  multiply(site, [{ matrix: mlp.down, bias: mlp.downBias, x: gate, out }], count);
}

/** Logits `[R, V]` of `x [R, E]`, which lies where the head does. */
export function logitsOnHost(site: HostSite, head: HostHead, x: Rows, count: number): Rows {
  const { config, space } = site;
  const logits = space.rows('logits', count, heightOf(head.matrix));
  const read = normed(site, head.norm, x, count);
  multiply(site, [{ matrix: head.matrix, bias: undefined, x: read, out: logits }], count);
  const { logitSoftCap: cap } = config;
  if (cap === undefined) return logits;
  eachRow(site, count, { width: config.vocabulary, calls: 1 }, (kernels, from, some) => {
    const rows = { at: logits.at + from * logits.stride, stride: logits.stride };
    kernels.softCap(rows, some, config.vocabulary, cap);
  });
  return logits;
}

/** Normed rows in a buffer of their own; without a norm the rows themselves. */
function normed(site: HostSite, norm: Norm<HostVector> | undefined, x: Rows, count: number): Rows {
  if (norm === undefined) return x;
  const { config, space } = site;
  const out = space.rows('normed', count, config.hidden);
  eachRow(site, count, { width: config.hidden, calls: 1 }, (kernels, from, some) => {
    normRows(kernels, config, norm, rowsFrom(x, from), some, rowsFrom(out, from));
  });
  return out;
}

/** `x += norm(y)`; y is overwritten. */
function addNormed(
  site: HostSite,
  x: Rows,
  y: Rows,
  norm: Norm<HostVector> | undefined,
  count: number,
): void {
  const { config } = site;
  eachRow(site, count, { width: config.hidden, calls: 2 }, (kernels, from, some) => {
    const added = rowsFrom(y, from);
    if (norm !== undefined) normRows(kernels, config, norm, added, some, added);
    kernels.add(rowsFrom(x, from), added, some, config.hidden);
  });
}

function normRows(
  kernels: StepKernels,
  { norm: { kind }, hidden, normEps: eps }: ModelConfig,
  { weight, bias }: Norm<HostVector>,
  x: Rows,
  count: number,
  out: Rows,
): void {
  kernels.norm(kind === 'layer', x, count, hidden, { weight: weight.at, bias: bias?.at ?? 0, eps }, out);
}
