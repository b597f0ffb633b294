/**
 * The plots of a set of results.
 *
 * No two have the same name, and no drawing library is loaded before one is drawn.
 */
import type { CellResult } from '../../results/cell-results.js';
import { blocksOf } from '../blocks.js';
import { bytesPlot } from './bytes.js';
import { needlePlots } from './needle.js';
import { partsPlot } from './parts.js';
import { ratioPlot } from './ratio.js';
import { type Plot, RESULT_KINDS, type ResultKind } from './types.js';

/** All plots of these kinds that the results allow; maybe none. */
export function plotsOf(results: readonly CellResult[], kinds: readonly ResultKind[] = RESULT_KINDS): Plot[] {
  const blocks = blocksOf(results);
  const drawn = kinds.flatMap((kind): Plot[] => {
    switch (kind) {
      case 'ratio':
        return blocks.flatMap((block) => ratioPlot(block) ?? []);
      case 'bytes':
        return blocks.flatMap((block) => bytesPlot(block) ?? []);
      case 'parts':
        return blocks.flatMap((block) => partsPlot(block) ?? []);
      case 'needle':
        return needlePlots(results);
    }
  });
  return withOwnNames(drawn);
}

/** Names that are alike once they are made file names get a number. */
function withOwnNames(plots: readonly Plot[]): Plot[] {
  const uses = new Map<string, number>();
  return plots.map((plot) => {
    const use = (uses.get(plot.name) ?? 0) + 1;
    uses.set(plot.name, use);
    return use === 1 ? plot : { ...plot, name: `${plot.name}_${use}` };
  });
}
