/**
 * `npm run bench`: the performance targets, measured on this machine.
 *
 * Ratios are taken between measurements of one run; `--repeat` of them, the median counts.
 *
 *   npm run bench -- [--only NAME] [--repeat N] [--json FILE] [--against DIR]
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { alignColumns } from '../src/report/text-table.js';
import { compareBuilds, type Comparison } from './against.js';
import { decode } from './decode.js';
import { kernels } from './kernels.js';
import { large } from './large.js';
import { memory } from './memory.js';
import { queue } from './queue.js';
import { startup } from './startup.js';
import { sweep } from './sweep.js';
import { holds, Skip, type Bench, type SkippedTarget, type Target } from './types.js';
import { wasm } from './wasm.js';

const BENCHES: readonly Bench[] = [sweep, decode, memory, wasm, startup, kernels, queue, large];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    repeat: { type: 'string', default: '3' },
    json: { type: 'string' },
    against: { type: 'string' },
  },
});
const chosen = BENCHES.filter(({ name, onlyAsked }) =>
  options.only === undefined ? onlyAsked !== true : options.only === name,
);
const repeat = Number(options.repeat);
if (chosen.length === 0 || !Number.isSafeInteger(repeat) || repeat < 1) {
  console.error(`expected --only ${BENCHES.map(({ name }) => name).join('|')} and --repeat of at least 1`);
  process.exit(2);
}

const log = (line: string): void => {
  console.error(line);
};
const against = options.against && resolve(options.against);
let comparison: Promise<Comparison> | undefined;
const compared = (): Promise<Comparison> => (comparison ??= compareBuilds({ repeat, log, against }));
const targets: (Target | SkippedTarget)[] = [];
for (const bench of chosen) {
  try {
    targets.push(...(await bench.run({ repeat, log, compared, against })));
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log(`${bench.name} is skipped: ${error.message}`);
  }
}

const rows = targets.map((target) =>
  'skipped' in target
    ? [target.name, '–', '', `skipped: ${target.skipped}`]
    : [
        target.name,
        target.value.toPrecision(3),
        `${target.bound} ${target.limit}`,
        holds(target) ? 'ok' : 'MISSED',
      ],
);
console.log(
  alignColumns([['target', 'measured', 'limit', ''], ...rows], ['left', 'right', 'left', 'left']).join('\n'),
);
if (options.json !== undefined) {
  const written = targets.map((target) => {
    if ('skipped' in target) return target;
    const { name, value, limit } = target;
    return { name, value, limit, ok: holds(target) };
  });
  writeFileSync(options.json, `${JSON.stringify({ targets: written }, undefined, 2)}\n`);
}
