/**
 * The tables of a set of results: one for each block, and beside a published one what was lost.
 *
 * A published table is set beside every block, each by itself.
 */
import { blocksOf, type Count } from './blocks.js';
import { lossesTable } from './losses-table.js';
import { compareTable } from './paper/compare.js';
import { type PaperTableName, paperTable } from './paper/index.js';
import { matchTable } from './paper/match.js';
import type { ReadResults } from './read-results.js';
import type { LossOptions } from './statistics/losses.js';
import type { Table } from './table/model.js';

export interface TablesOptions extends LossOptions {
  readonly paper?: PaperTableName | undefined;
}

/** Every table, in the order of the results. */
export function tablesOf({ results }: ReadResults, { paper, ...options }: TablesOptions = {}): Table[] {
  const blocks = blocksOf(results);
  if (paper === undefined) return blocks.map((block) => lossesTable(block, options));
  const table = paperTable(paper);
  return blocks.flatMap((block) => {
    const losses = lossesTable(block, options, matchTable(table, block).tasks);
    return [compareTable(table, block), { ...losses, title: `Losses against full: ${losses.title}` }];
  });
}

/** Samples of all cells that are there, of those asked for and not ruled out. */
export function completeness({ results }: ReadResults): Count {
  return {
    done: results.reduce((sum, { records }) => sum + records.length, 0),
    asked: results.reduce((sum, { cell, inapplicable }) => sum + cell.samples - inapplicable.length, 0),
  };
}
