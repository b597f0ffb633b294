/**
 * The suite `kills`: SIGKILL at random moments of every command that writes, until it is done.
 *
 * The commands take turns. Nothing finished may be lost or be there twice, and what is left must be what an undisturbed
 * command leaves.
 */
import { join } from 'node:path';
import { pull, pullForce, setup } from './kill/caches.js';
import { coordinator, worker } from './kill/queue.js';
import { inapplicable, merge, run, shard, workers } from './kill/results.js';
import { measureLife, NO_KILLS, runRound, type Life, type RoundFigures } from './kill/round.js';
import type { Victim, VictimMaker } from './kill/victim.js';
import type { Context, Row, Suite } from './types.js';

const MAKERS: Readonly<Record<string, VictimMaker>> = {
  run,
  'run, not all applicable': inapplicable,
  'run --workers 2': workers,
  'run --shard': shard,
  merge,
  'run --queue': coordinator,
  worker,
  pull,
  'pull --force': pullForce,
  setup,
};
const ENOUGH = 1000;
/** Kills of one life, at most. */
const MOST_OF_A_LIFE = 8;

interface Entry {
  readonly victim: Victim;
  readonly life: Life;
  rounds: number;
  readonly figures: RoundFigures;
}

export const kills: Suite = {
  name: 'kills',
  async run(context: Context): Promise<readonly Row[]> {
    const skipped: Row[] = [];
    const entries: Entry[] = [];
    try {
      for (const [name, make] of Object.entries(MAKERS)) {
        const victim = await make(join(context.folder, name.replaceAll(/\W+/g, '-')));
        if (typeof victim === 'string')
          skipped.push({ what: `${name}: left out, ${victim}`, cases: 0, faults: [] });
        else {
          const life = await measureLife(victim);
          entries.push({ victim, life, rounds: 0, figures: { ...NO_KILLS, faults: [] } });
        }
      }
      await takeTurns(entries, context);
    } finally {
      for (const { victim } of entries) await victim.close();
    }
    return [...entries.map(rowOf), ...skipped];
  },
};

async function takeTurns(entries: readonly Entry[], context: Context): Promise<void> {
  const { random } = context;
  let total = 0;
  for (let turn = 0; total < ENOUGH && !context.over(); turn++) {
    const entry = entries[turn % entries.length]!;
    const { victim, life, figures } = entry;
    const round = await runRound(victim, 1 + random.below(MOST_OF_A_LIFE), random, life);
    entry.rounds++;
    for (const key of ['kills', 'checked', 'lost', 'double'] as const) figures[key] += round[key];
    figures.faults.push(...round.faults.map((fault) => `life ${entry.rounds}: ${fault}`));
    total += round.kills;
    context.log(
      `${total} kills, ${victim.name}: ${round.kills}${round.faults.length > 0 ? `, ${round.faults.join('; ')}` : ''}`,
    );
  }
}

function rowOf({ victim, rounds, figures }: Entry): Row {
  const { kills: cases, checked, lost, double, faults } = figures;
  return {
    what: `kills of ${victim.name}`,
    cases,
    faults: [
      ...faults,
      ...(lost > 0 ? [`${lost} finished results or files were lost`] : []),
      ...(double > 0 ? [`${double} were there twice`] : []),
    ],
    figures: { lives: rounds, 'looked for': checked, lost, double },
  };
}
