/**
 * `npm test`, `npm run test:unit` and the like: `tsx test/run/index.ts [PART…] [OPTIONS OF MOCHA]`; all parts where none is
 * named.
 *
 * mocha runs the files in as many processes as there are processors, the long ones first.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Part, partOf, PARTS, testFiles } from './parts.js';

/** Each process may hold the weights of a model. */
const MOST_PROCESSES = 8;

const args = process.argv.slice(2);
const firstOption = args.findIndex((arg) => arg.startsWith('-'));
const names = firstOption < 0 ? args : args.slice(0, firstOption);
const options = firstOption < 0 ? [] : args.slice(firstOption);
const unknown = names.filter((name) => !PARTS.includes(name as Part));
if (unknown.length > 0) {
  console.error(`unknown part of the tests: ${unknown.join(', ')}\n  Parts: ${PARTS.join(', ')}`);
  process.exit(2);
}

const files = PARTS.filter((part) => names.length === 0 || names.includes(part)).flatMap((part) =>
  testFiles().filter((file) => partOf(file) === part),
);
const jobs = Math.min(MOST_PROCESSES, Math.max(2, availableParallelism()));
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const { status } = spawnSync(
  process.execPath,
  [mocha, '--parallel', '--jobs', String(jobs), ...options, ...files.map((file) => join('test', file))],
  { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit' },
);
process.exitCode = status ?? 1;
