/** The published tables, by the names that the command line takes. */
import { table3, table4, valueChannels } from './averages.js';
import { table1 } from './table1.js';
import { table2 } from './table2.js';
import type { PaperTable } from './types.js';

const TABLES = { table1, table2, table3, table4, 'value-channels': valueChannels } as const;

export type PaperTableName = keyof typeof TABLES;

export const PAPER_TABLES = Object.keys(TABLES) as readonly PaperTableName[];

export function paperTable(name: PaperTableName): PaperTable {
  return TABLES[name]();
}
