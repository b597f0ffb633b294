/**
 * The suite `disk`: full, read-only, vanishing and stalling disks, damaged journals, two runs in one folder.
 *
 * Every hardship comes once, then damaged journals until the time is over.
 */
import { join } from 'node:path';
import { deleted, manyAtOnce, mayNotGrow, movedAway, notPermitted, secondRun } from './disk/folders.js';
import { damageJournal, JOURNAL_DAMAGE } from './disk/journals.js';
import { makeBench, type DiskCase } from './disk/case.js';
import { fails, full, noMoreFiles, readOnly, stalls, unmounted } from './disk/mounts.js';
import type { Context, Row, Suite } from './types.js';

const CASES: Readonly<Record<string, DiskCase>> = {
  'a full disk, of 10 sizes': full,
  'no more files, of 8 numbers': noMoreFiles,
  'a file that may not grow, of 4 sizes': mayNotGrow([0, 4, 8, 10]),
  'a read-only disk': readOnly,
  'a disk that fails': fails,
  'a folder without permission': notPermitted,
  'a folder that is moved away': movedAway,
  'a folder that is deleted': deleted,
  'a disk that is unmounted': unmounted,
  'a disk that stalls': stalls,
  'a second run': secondRun,
  'four runs at the same moment': manyAtOnce,
};
const MOST_JOURNALS = 300;

export const disk: Suite = {
  name: 'disk',
  async run(context: Context): Promise<readonly Row[]> {
    const { folder, random } = context;
    const bench = makeBench(join(folder, 'bench'));
    const rows: Row[] = [];
    for (const [what, hardship] of Object.entries(CASES)) {
      if (context.over()) return rows;
      const faults = await hardship(bench);
      const left = typeof faults === 'string';
      rows.push(
        left ? { what: `${what}: left out, ${faults}`, cases: 0, faults: [] } : { what, cases: 1, faults },
      );
      context.log(`${what}: ${left ? faults : `${faults.length} faults`}`);
    }
    const faults: string[] = [];
    let cases = 0;
    for (; cases < MOST_JOURNALS && !context.over(); cases++) {
      faults.push(...damageJournal(bench, JOURNAL_DAMAGE[cases % JOURNAL_DAMAGE.length]!, random));
    }
    rows.push({ what: `damaged journals, ${JOURNAL_DAMAGE.length} kinds`, cases, faults });
    return rows;
  },
};
