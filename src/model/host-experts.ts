/**
 * A mixture of experts in a decode step: each token goes through a few of them.
 *
 * The rows of all experts stand one behind the other, so that their products are shared out together. A token's outputs are
 * added in the order of the experts.
 * Alphabet: S tokens, E model width, F width of an expert, X experts.
 */
import type { Rows } from '../kernels/step.js';
import type { HostMatrix, HostVector } from './build-layers.js';
import { activateRows, heightOf, multiply, writeProducts, type HostSite, type Product } from './host-rows.js';
import type { ExpertWeights } from './layer-weights.js';
import { chooseExperts, type Choice } from './mlp.js';
import { rowsFrom } from './workspace.js';

/** `x [S, E]` → `out [S, E]`: the weighted sum of each token's experts. */
export function expertsOnHost(
  site: HostSite,
  weights: ExpertWeights<HostMatrix, HostVector>,
  x: Rows,
  count: number,
  out: Rows,
): void {
  const { crew, config, space } = site;
  const { memory } = space;
  const { perToken } = config.experts!;
  const E = config.hidden;
  const width = heightOf(weights.experts[0]!.up); // F
  const chosen = choose(site, weights, x, count).sort((a, b) => a.expert - b.expert || a.row - b.row);
  const all = count * perToken;
  const buffers = {
    x: space.rows('expert x', all, E),
    gate: space.rows('expert gate', all, width),
    up: space.rows('expert up', all, width),
    out: space.rows('expert out', all, E),
  };
  chosen.forEach(({ row }, i) => {
    memory.floats(buffers.x.at + i * buffers.x.stride, E).set(memory.floats(x.at + row * x.stride, E));
  });
  const runs = runsOf(chosen);
  multiplyRuns(site, runs, ({ expert, first }) => {
    const { gate, up, gateBias, upBias } = weights.experts[expert]!;
    const read = rowsFrom(buffers.x, first);
    return [
      { matrix: up, bias: upBias, x: read, out: rowsFrom(buffers.up, first) },
      { matrix: gate!, bias: gateBias, x: read, out: rowsFrom(buffers.gate, first) },
    ];
  });
  activateRows(site, { gate: buffers.gate, up: buffers.up }, width, all);
  multiplyRuns(site, runs, ({ expert, first }) => {
    const { down, downBias } = weights.experts[expert]!;
    const read = rowsFrom(buffers.gate, first);
    return [{ matrix: down, bias: downBias, x: read, out: rowsFrom(buffers.out, first) }];
  });
  const kernels = crew.now(memory);
  for (let t = 0; t < count; t++) memory.floats(out.at + t * out.stride, E).fill(0);
  chosen.forEach(({ row, share }, i) => {
    kernels.addScaled(out.at + row * out.stride, buffers.out.at + i * buffers.out.stride, E, share);
  });
}

/** Rows of one expert that stand together. */
interface Run {
  readonly expert: number;
  readonly first: number;
  readonly count: number;
}

function runsOf(chosen: readonly Choice[]): Run[] {
  const runs: Run[] = [];
  for (let first = 0; first < chosen.length;) {
    const { expert } = chosen[first]!;
    let end = first + 1;
    while (chosen[end]?.expert === expert) end++;
    runs.push({ expert, first, count: end - first });
    first = end;
  }
  return runs;
}

function multiplyRuns(site: HostSite, runs: readonly Run[], productsOf: (run: Run) => Product[]): void {
  for (const run of runs) writeProducts(site, productsOf(run), run.count);
  site.crew.run(site.space.memory);
}

/** The router's choice for each token. */
function choose(
  site: HostSite,
  { router, experts }: ExpertWeights<HostMatrix, HostVector>,
  x: Rows,
  count: number,
): Choice[] {
  const { crew, config, space } = site;
  const { perToken, normalised } = config.experts!;
  const X = experts.length;
  const shares = space.rows('shares', count, X);
  multiply(site, [{ matrix: router, bias: undefined, x, out: shares }], count);
  crew.now(space.memory).softmax(shares, count, X);
  const numbers = new Float32Array(count * X);
  for (let t = 0; t < count; t++) numbers.set(space.memory.floats(shares.at + t * shares.stride, X), t * X);
  return chooseExperts(numbers, count, X, perToken, normalised);
}
