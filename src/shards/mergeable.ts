/**
 * Which result folders may be joined.
 *
 * Decides what must be the same in all of them, because it can change an answer, and what is only told, because it
 * should not. Knows manifests, no records.
 */
import { UserError } from '../base/errors.js';
import { canonicalJson } from '../base/canonical-json.js';
import { describeDifferences, modelDigests } from '../results/manifest.js';
import type { Manifest } from '../results/types.js';

/** A folder and whose results it holds. */
export interface Owned {
  readonly path: string;
  readonly manifest: Manifest;
}

/**
 * Throws one UserError that names every folder which differs from most of the others, and in what; of two kinds that are
 * equally many, the one that comes first counts as the right one.
 */
export function expectSameRun(folders: readonly Owned[]): void {
  const kinds = new Map<string, Owned[]>();
  for (const folder of folders) {
    const kind = canonicalJson([identityOf(folder.manifest), folder.manifest.cells]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), folder]);
  }
  const [most, ...others] = [...kinds.values()].sort((a, b) => b.length - a.length);
  if (most === undefined || others.length === 0) return;
  const right = most[0]!;
  const lines = others.flat().flatMap(({ path, manifest }) => {
    const differences = describeDifferences(identityOf(right.manifest), identityOf(manifest));
    // Where all else is the same, the keys of the cells tell that the program makes other prompts or weights.
    const told = differences.length > 0 ? differences : ['cells: made by another program'];
    return [`\n  ${path}`, ...told.map((line) => `\n    ${line}`)];
  });
  throw new UserError(
    `the folders are not of one run; what differs from ${right.path} (there → here):${lines.join('')}`,
    {
      hint: 'Only folders of the same spec, engine, program, models and data can be joined. Leave out those that differ.',
    },
  );
}

/** What surrounded the results of the folders, where it was not the same; a sentence each. */
export function differentSurroundings(folders: readonly Owned[]): string[] {
  const engine = folders[0]?.manifest.engine.name;
  const facts: [what: string, of: (manifest: Manifest) => string | undefined][] = [
    ['Node', ({ node }) => node],
    ['commits', ({ git }) => git?.commit],
    // WebAssembly and JavaScript give the same bits on every processor; TensorFlow picks its kernels by it.
    ['processors', ({ cpu }) => (engine === 'native' || engine === 'gpu' ? cpu.model : undefined)],
  ];
  return facts.flatMap(([what, of]) => {
    const found = new Set(folders.map(({ manifest }) => of(manifest) ?? 'unknown'));
    return found.size > 1 ? [`the folders are of different ${what}: ${[...found].join(', ')}`] : [];
  });
}

/** By name, as it is told. Threads change the order of sums on `native` alone. */
function identityOf({ spec, version, engine, models, data }: Manifest): Record<string, unknown> {
  const fields = Object.entries(typeof spec === 'object' && spec !== null ? spec : { spec });
  const tasks = [...new Set(data.map(({ task }) => task))];
  return {
    ...Object.fromEntries(fields.map(([name, value]) => [`spec, ${name}`, value as unknown])),
    'version of spark-eval': version,
    engine: engine.name,
    'versions of the engine': engine.versions,
    ...(engine.name === 'native' ? { threads: engine.threads } : {}),
    ...modelDigests(models),
    ...Object.fromEntries(
      tasks.map((task) => [
        `data of ${task}`,
        data.filter((entry) => entry.task === task).map(({ digest }) => digest),
      ]),
    ),
  };
}
