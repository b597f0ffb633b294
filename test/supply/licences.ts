/**
 * The licences of all packages that the lock file names, and which of them go with an Apache-2.0 project.
 *
 * It says what is allowed and how docs/licences.md reads.
 */
import { readFileSync } from 'node:fs';
import * as z from 'zod';

export const LOCK_FILE = new URL('../../package-lock.json', import.meta.url);
export const LIST_FILE = new URL('../../docs/licences.md', import.meta.url);

/** May be used, changed and passed on with a notice. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  ...[
    '0BSD',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    'BlueOak-1.0.0',
    'CC0-1.0',
    'ISC',
    'MIT',
    'MIT-0',
  ],
  ...['PSF-2.0', 'Python-2.0', 'Unlicense'],
]);
/** Asks for the source of changed files: for packages that are installed unchanged beside this one, never bundled. */
const FILE_COPYLEFT: ReadonlySet<string> = new Set(['MPL-2.0']);

export type Use = 'run' | 'optional' | 'development';

export interface LockedPackage {
  /** Folder, as `node_modules/a/node_modules/b`. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  readonly use: Use;
  readonly integrity: string | undefined;
  readonly hasInstallScript: boolean;
}

const lockSchema = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(
    z.string(),
    z.object({
      version: z.string(),
      license: z.string().default('none stated'),
      integrity: z.string().optional(),
      hasInstallScript: z.boolean().default(false),
      dev: z.boolean().default(false),
      optional: z.boolean().default(false),
      devOptional: z.boolean().default(false),
    }),
  ),
});

/** All packages of the lock file but this project itself. */
export function lockedPackages(): LockedPackage[] {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync(LOCK_FILE, 'utf8')));
  return Object.entries(packages)
    .filter(([folder]) => folder !== '')
    .map(([folder, entry]) => ({
      folder,
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      licence: entry.license,
      use: entry.dev ? 'development' : entry.optional || entry.devOptional ? 'optional' : 'run',
      integrity: entry.integrity,
      hasInstallScript: entry.hasInstallScript,
    }));
}

/**
 * Whether a package under this licence may be used so. Of `OR` one side is enough, of `AND` both must do; `AND` binds
 * closer, as in SPDX. What is no such expression is not allowed.
 */
export function isAllowed(licence: string, use: Use): boolean {
  const tokens = licence.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const any = (): boolean => {
    let allowed = all();
    while (tokens[at] === 'OR') {
      at++;
      allowed = all() || allowed;
    }
    return allowed;
  };
  const all = (): boolean => {
    let allowed = one();
    while (tokens[at] === 'AND') {
      at++;
      allowed = one() && allowed;
    }
    return allowed;
  };
  const one = (): boolean => {
    const token = tokens[at++];
    if (token === undefined) return false;
    if (token !== '(') return PERMISSIVE.has(token) || (use !== 'run' && FILE_COPYLEFT.has(token));
    const allowed = any();
    return tokens[at++] === ')' && allowed;
  };
  const allowed = any();
  return allowed && at === tokens.length;
}

/** docs/licences.md. */
export function licenceList(packages: readonly LockedPackage[]): string {
  const rows = new Map<string, LockedPackage>();
  for (const entry of packages) {
    const { name, version, use } = entry;
    const earlier = rows.get(`${name} ${version}`);
    if (earlier === undefined || RANK[use] < RANK[earlier.use]) rows.set(`${name} ${version}`, entry);
  }
  const sorted = [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  return [
    '# Licences of all dependencies',
    '',
    'Made by `npm run licences` from `package-lock.json`; a test holds it true and every licence compatible with Apache-2.0.',
    '`run`: installed with this package. `optional`: installed where it can be; the program works without. `development`: for',
    'building and testing, not installed with it. What `dist/` bundles is named, with its notices, in `dist/third-party.txt`.',
    '',
    ...summary(sorted),
    '',
    '| package | version | licence | use |',
    '| --- | --- | --- | --- |',
    ...sorted.map(({ name, version, licence, use }) => `| \`${name}\` | ${version} | ${licence} | ${use} |`),
    '',
  ].join('\n');
}

const RANK: Readonly<Record<Use, number>> = { run: 0, optional: 1, development: 2 };

function summary(packages: readonly LockedPackage[]): string[] {
  const counts = new Map<string, Record<Use, number>>();
  for (const { licence, use } of packages) {
    const row = counts.get(licence) ?? { run: 0, optional: 0, development: 0 };
    row[use]++;
    counts.set(licence, row);
  }
  return [
    '| licence | run | optional | development |',
    '| --- | ---: | ---: | ---: |',
    ...[...counts.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([licence, n]) => `| ${licence} | ${n.run} | ${n.optional} | ${n.development} |`),
  ];
}
