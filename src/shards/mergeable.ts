/**
 * Which result folders may be joined, and whose spec counts.
 *
 * They are of one run where all that can change an answer is the same; a run may have grown in the meantime, and the folder
 * that asks for the most then stands for it.
 */
import { UserError } from '../base/errors.js';
import { canonicalJson } from '../base/canonical-json.js';
import { changedFields, changedModels } from '../results/growth.js';
import { describeDifferences, modelDigests } from '../results/manifest.js';
import type { CellInfo, Manifest } from '../results/types.js';

/** A folder and whose results it holds. */
export interface Owned {
  readonly path: string;
  readonly manifest: Manifest;
}

/**
 * The first folder of the spec that stands for all: the only one, or one that asks for all that the others do, or that was
 * extended from theirs.
 *
 * @param output what the results go to, where it holds some: of its spec more may be left out
 * @throws UserError that names every folder which differs from most of the others, and in what; of two kinds that are
 * equally many, the one that comes first counts as the right one
 */
export function folderOfRun<Folder extends Owned>(folders: readonly Folder[], output?: Folder): Folder {
  const all = output === undefined || folders.includes(output) ? folders : [...folders, output];
  const kinds = new Map<string, Folder[]>();
  for (const folder of all) {
    const kind = canonicalJson([identityOf(folder.manifest), cellKeys(folder.manifest)]);
    kinds.set(kind, [...(kinds.get(kind) ?? []), folder]);
  }
  const firsts = [...kinds.values()].map(([first]) => first!);
  const wholes = firsts.filter(({ manifest }) =>
    firsts.every(
      (other) =>
        isSameRun(manifest, other.manifest) && (other === output || covers(manifest, other.manifest)),
    ),
  );
  const latest = wholes.find(
    ({ manifest }) => !wholes.some((later) => wasExtended(manifest, later.manifest)),
  );
  if (wholes.length > 0) return latest ?? wholes[0]!;
  const [most, ...others] = [...kinds.values()].sort((a, b) => b.length - a.length);
  const right = most![0]!;
  const lines = others.flat().flatMap(({ path, manifest }) => {
    const differences = describeDifferences(identityOf(right.manifest), identityOf(manifest));
    // Where all else is the same, the keys of the cells tell that the program makes other prompts or weights.
    const told = differences.length > 0 ? differences : ['cells: made by another program'];
    return [`\n  ${path}`, ...told.map((line) => `\n    ${line}`)];
  });
  throw new UserError(
    `the folders are not of one run; what differs from ${right.path} (there → here):${lines.join('')}`,
    {
      hint: 'Only folders of the same engine, program, models and data can be joined, of one spec or of one that was extended. Leave out those that differ.',
    },
  );
}

/** Whether records of both mean the same, whatever either asks for. */
function isSameRun(one: Manifest, other: Manifest): boolean {
  if (one.specHash === other.specHash) {
    return (
      canonicalJson(identityOf(one)) === canonicalJson(identityOf(other)) &&
      canonicalJson(cellKeys(one)) === canonicalJson(cellKeys(other))
    );
  }
  return (
    canonicalJson(programOf(one)) === canonicalJson(programOf(other)) &&
    changedFields(other.spec, one.spec).length === 0 &&
    changedModels(other.models, one.models).length === 0 &&
    haveEqualKeys(one.cells, other.cells)
  );
}

/** Whether a spec asks for all that another does, or came from it. */
function covers(one: Manifest, other: Manifest): boolean {
  const samples = new Map(one.cells.map((cell) => [cell.key, cell.samples]));
  return wasExtended(other, one) || other.cells.every((cell) => cell.samples <= (samples.get(cell.key) ?? 0));
}

/** Whether the second folder had the first one's spec before its own. */
function wasExtended({ specHash }: Manifest, { original, extensions = [], ...later }: Manifest): boolean {
  return later.specHash !== specHash && [original, ...extensions].some((one) => one?.specHash === specHash);
}

/** Cells that are called the same are the same: their data and the program's prompts, too. */
function haveEqualKeys(one: readonly CellInfo[], other: readonly CellInfo[]): boolean {
  const keys = new Map(one.map((cell) => [nameOf(cell), cell.key]));
  return other.every((cell) => (keys.get(nameOf(cell)) ?? cell.key) === cell.key);
}

function nameOf({ model, task, context, seed, question, pipeline, params }: CellInfo): string {
  return canonicalJson([model, task, context, seed, question, pipeline, params]);
}

function cellKeys({ cells }: Manifest): string[] {
  return cells.map(({ key, samples }) => `${key} ${samples}`);
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

/** Of the program and its engine, by what a difference is told as. No number depends on threads. */
function programOf({ version, engine, protocol = 1 }: Manifest): Record<string, unknown> {
  return {
    'version of spark-eval': version,
    'prompt protocol': protocol,
    engine: engine.name,
    'versions of the engine': engine.versions,
  };
}

/** By name, as it is told. */
function identityOf(manifest: Manifest): Record<string, unknown> {
  const { spec, data, cells } = manifest;
  const models = manifest.models.filter(({ name }) => cells.some(({ model }) => model === name));
  const fields = Object.entries(typeof spec === 'object' && spec !== null ? spec : { spec });
  const tasks = [...new Set(data.map(({ task }) => task))];
  return {
    ...Object.fromEntries(fields.map(([name, value]) => [`spec, ${name}`, value as unknown])),
    ...programOf(manifest),
    ...modelDigests(models),
    ...Object.fromEntries(
      tasks.map((task) => [
        `data of ${task}`,
        data.filter((entry) => entry.task === task).map(({ digest }) => digest),
      ]),
    ),
  };
}
