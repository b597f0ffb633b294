/**
 * How threads share out a decode step: the outputs of products, and the rows of all else.
 *
 * Small work is done at once: writing it down would take longer.
 */
import type { ModelConfig } from '../checkpoint/types.js';
import type { Crew } from '../kernels/crew.js';
import type { Rows, StepKernels } from '../kernels/step.js';
import type { HostMatrix, HostVector } from './build-layers.js';
import type { Workspace } from './workspace.js';

/** Bytes of weights that are worth an item of their own. */
const ITEM_BYTES = 32 * 1024;
/** Numbers of rows that are. */
const ITEM_NUMBERS = 4096;

export interface Product {
  readonly matrix: HostMatrix;
  readonly bias: HostVector | undefined;
  readonly x: Rows;
  readonly out: Rows;
}

/** What computes on one memory. */
export interface HostSite {
  readonly crew: Crew;
  readonly config: ModelConfig;
  readonly space: Workspace;
}

/** Several products of `count` rows, none of which reads what another writes. */
export function multiply(site: HostSite, products: readonly Product[], count: number): void {
  writeProducts(site, products, count);
  site.crew.run(site.space.memory);
}

/** The same, written down and not yet done. */
export function writeProducts({ crew, space }: HostSite, products: readonly Product[], count: number): void {
  const { memory } = space;
  for (const { matrix, bias, x, out } of products) {
    let first = 0;
    for (const { matrix: w, scale } of matrix) {
      const height = itemRows(crew.threads, w);
      for (let from = 0; from < w.rows; from += height) {
        crew.item(memory, 1);
        const rows = { from, to: Math.min(w.rows, from + height) };
        const to = { at: out.at + 4 * first, stride: out.stride };
        crew.later(memory).multiply(w, rows, x, count, scale, bias ? bias.at + 4 * first : 0, to);
      }
      first += w.rows;
    }
  }
}

/** Rows of a matrix in an item: whole tiles, some items for each thread. */
function itemRows(
  threads: number,
  { rows, rowBytes }: { readonly rows: number; readonly rowBytes: number },
): number {
  if (threads === 1) return rows;
  const least = Math.max(ITEM_BYTES / rowBytes, rows / (4 * threads));
  return 24 * Math.ceil(least / 24);
}

/** Does `run` for all rows, some at a time; `calls` of each. */
export function eachRow(
  { crew, space }: HostSite,
  count: number,
  { width, calls }: { readonly width: number; readonly calls: number },
  run: (kernels: StepKernels, from: number, count: number) => void,
): void {
  const { memory } = space;
  const together = Math.max(1, Math.ceil(count / (4 * crew.threads)), Math.floor(ITEM_NUMBERS / width));
  if (crew.threads === 1 || together >= count) {
    run(crew.now(memory), 0, count);
    return;
  }
  for (let from = 0; from < count; from += together) {
    const some = Math.min(together, count - from);
    crew.item(memory, calls * some);
    run(crew.later(memory), from, some);
  }
  crew.run(memory);
}

/** `gate = act(gate) · up` */
export function activateRows(
  site: HostSite,
  { gate, up }: { readonly gate: Rows; readonly up: Rows | undefined },
  width: number,
  count: number,
): void {
  eachRow(site, count, { width: 8 * width, calls: 1 }, (kernels, first, some) => {
    for (let t = first; t < first + some; t++) {
      const at = gate.at + t * gate.stride;
      kernels.activate(site.config.activation, at, up === undefined ? 0 : up.at + t * up.stride, width, at);
    }
  });
}

/** The outputs of a matrix. */
export function heightOf(matrix: HostMatrix): number {
  return matrix.reduce((total, { matrix: { rows } }) => total + rows, 0);
}
