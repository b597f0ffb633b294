/**
 * What must be the same on two machines for their results to be of one run.
 *
 * It is all that can change an answer, and a difference is told by name.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../base/canonical-json.js';
import { PACKAGE_FOLDER, packageVersion } from '../base/package.js';
import { modelDigests } from '../results/manifest.js';
import type { Manifest } from '../results/types.js';
import type { PluginRecord } from '../registry/registry.js';
import type { EngineRecord } from '../runner/engine-record.js';

/** Values by what they are of. */
export type Identity = Readonly<Record<string, string>>;

/** Characters of a digest that are shown. */
const SHOWN = 12;

/** Of the program that runs here: its version, and a digest of its code, which a checkout changes without a new version. */
export function programIdentity(): Identity {
  const folder = relative(PACKAGE_FOLDER, fileURLToPath(import.meta.url)).split(sep)[0]!;
  const code = readdirSync(join(PACKAGE_FOLDER, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => join(folder, name));
  const kernels = readdirSync(join(PACKAGE_FOLDER, 'build'))
    .filter((name) => name.endsWith('.wasm'))
    .map((name) => join('build', name));
  const hash = createHash('sha256');
  for (const name of ['package.json', ...kernels.sort(), ...code.sort()]) {
    hash.update(`${name.replaceAll(sep, '/')}\n`).update(readFileSync(join(PACKAGE_FOLDER, name)));
  }
  return { 'version of spark-eval': packageVersion(), 'code of spark-eval': hash.digest('hex') };
}

/** Threads are not in it: no number depends on them. */
export function engineIdentity({ name, versions }: EngineRecord): Identity {
  const software = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return {
    engine: name,
    'versions of the engine': software.sort().join(', '),
  };
}

/** Of the files that a run reads, and of its cells. */
export function filesIdentity({
  models,
  data,
  cells,
}: Pick<Manifest, 'models' | 'data' | 'cells'>): Identity {
  const tasks = [...new Set(data.map(({ task }) => task))];
  const dataOfTask = (task: string): string => digestOf(data.filter((entry) => entry.task === task));
  return {
    ...modelDigests(models),
    ...Object.fromEntries(tasks.map((task) => [`data of ${task}`, dataOfTask(task)])),
    cells: digestOf(cells.map(({ key }) => key)),
  };
}

const PLUGIN = 'plug-in ';

/** Of the plug-ins of a run. */
export function pluginIdentity(plugins: readonly Pick<PluginRecord, 'use' | 'digest'>[]): Identity {
  return Object.fromEntries(plugins.map(({ use, digest }) => [`${PLUGIN}${use}`, digest]));
}

/** The plug-ins among the identities of a run: digests by name. */
export function pluginIdentities(run: Identity): Identity {
  return Object.fromEntries(Object.entries(run).filter(([name]) => name.startsWith(PLUGIN)));
}

/** What of `here` is another at the run: `weights of spark-nano: 0123… at the run, 4567… here`. */
export function differences(run: Identity, here: Identity): string[] {
  return Object.entries(here)
    .filter(([name, value]) => run[name] !== value)
    .map(([name, value]) => `${name}: ${brief(run[name] ?? 'nothing')} at the run, ${brief(value)} here`);
}

function brief(value: string): string {
  return value.replaceAll(/[0-9a-f]{32,}/g, (digest) => `${digest.slice(0, SHOWN)}…`);
}
