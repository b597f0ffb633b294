/**
 * What a result folder already holds of a spec, known without an engine and without weights.
 *
 * A run is finished when every sample of every cell is in the journal under the key that the cell has today. The digests
 * of a model are taken from the manifest where its files have not changed since.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROTOCOL_VERSION } from '../results/cell-key.js';
import { inspectFolder, RESULT_FILES } from '../results/folder.js';
import { leftOutCells } from '../results/growth.js';
import { recordKey } from '../results/journal.js';
import { packageVersion } from '../base/package.js';
import type {
  CellInfo,
  Inapplicable,
  JournalEntry,
  Manifest,
  SampleRecord,
  Shard,
} from '../results/types.js';
import { specHash } from '../experiment/load.js';
import type { ResolvedSpec, TaskCell } from '../experiment/types.js';
import { calibrationDigests, cellsOfGroup } from '../experiment/cells.js';
import { TaskOpener } from '../experiment/task-opener.js';
import { modelUnchanged } from './model-record.js';
import { shardFilter } from '../experiment/shard.js';

export interface CellState {
  readonly group: TaskCell;
  readonly pipeline: string;
  /** Samples that are asked for: the group's, or the shard's part of them. */
  readonly samples: number;
  /** Of these, how many are there. */
  readonly done: number;
}

export interface FolderState {
  /** Group by group, pipelines in the order of the spec. */
  readonly cells: readonly CellState[];
  /** Samples that are there, of how many. */
  readonly done: number;
  readonly total: number;
  /** What the folder holds and the spec does not ask for: it stays in the journal, and in no table. */
  readonly leftOut: LeftOut;
  /** The spec asks for latencies, and they are not there. */
  readonly lacksLatency: boolean;
  /** Models whose files are others than those that the results are of: their digests must be taken again. */
  readonly changedModels: readonly string[];
  /**
   * Undefined where anything is left to do or to look at: a sample missing, a table missing (a shard has none), model files
   * touched, another version of the program.
   */
  readonly finished: FinishedRun | undefined;
}

export interface LeftOut {
  /** Results of cells that the spec does not name, or of samples beyond those that it asks for. */
  readonly results: number;
  /** The cells that are not named, as far as the folder knows them, with their results. */
  readonly cells: readonly { readonly cell: CellInfo; readonly results: number }[];
}

export interface FinishedRun {
  readonly manifest: Manifest;
  readonly cells: readonly CellInfo[];
  readonly records: readonly SampleRecord[];
  /** Samples that pipelines cannot be applied to: they are done, and have no record. */
  readonly inapplicable: readonly Inapplicable[];
}

/**
 * How much of the spec is done. Rejects with UserError where the spec cannot go on in the folder, or that is damaged.
 *
 * @param engine where the user asks for a certain one; a folder of another engine is refused
 * @param shard where only that part is asked for; the spec's output is then the shard's own folder
 */
export async function folderState(spec: ResolvedSpec, engine?: string, shard?: Shard): Promise<FolderState> {
  const look = await lookAt(spec, engine);
  const { manifest, cells, changedModels } = look;
  const entries = [...look.records, ...look.inapplicable];
  const present = new Set(entries.map(({ cell, sample }) => recordKey(cell, sample)));
  const owns = shardFilter(spec.groups, shard);
  const states = spec.groups.flatMap((group, g) => {
    const samples = Array.from({ length: group.samples }, (_, sample) => sample).filter((s) => owns(g, s));
    return spec.pipelines.map(({ label }, p): CellState => {
      const key = cells[g]![p]?.key;
      const done = samples.filter((sample) => key !== undefined && present.has(recordKey(key, sample)));
      return { group, pipeline: label, samples: samples.length, done: done.length };
    });
  });
  const done = states.reduce((sum, state) => sum + state.done, 0);
  const total = states.reduce((sum, state) => sum + state.samples, 0);
  const finished = done === total ? finishedRun(spec, look, shard) : undefined;
  const leftOut = leftOutOf(cells.flat(), manifest, entries);
  const lacksLatency = asksLatency(spec, shard) && !isThere(spec, RESULT_FILES.latency);
  return { cells: states, done, total, leftOut, lacksLatency, changedModels, finished };
}

/** The run, nothing of which is missing in the journal. */
function finishedRun(spec: ResolvedSpec, look: Look, shard: Shard | undefined): FinishedRun | undefined {
  const { manifest, cells, records, inapplicable, changedModels } = look;
  if (manifest?.finishedAt == null || manifest.version !== packageVersion() || changedModels.length > 0)
    return undefined;
  // The tables of an earlier spec may hold other rows, even where nothing of this one is missing.
  if (manifest.specHash !== specHash(spec)) return undefined;
  const measured = asksLatency(spec, shard) ? [RESULT_FILES.latency] : [];
  const tables = shard === undefined ? [RESULT_FILES.accuracy, RESULT_FILES.memory, ...measured] : [];
  if (!tables.every((name) => isThere(spec, name))) return undefined;
  return { manifest, cells: cells.flat(), records, inapplicable };
}

/** A shard measures none: its machine has but a part of the samples. */
function asksLatency({ latency }: Pick<ResolvedSpec, 'latency'>, shard: Shard | undefined): boolean {
  return latency !== undefined && shard === undefined;
}

function isThere({ output }: Pick<ResolvedSpec, 'output'>, name: string): boolean {
  return existsSync(join(output, name));
}

function leftOutOf(
  cells: readonly CellInfo[],
  manifest: Manifest | undefined,
  entries: readonly JournalEntry[],
): LeftOut {
  const samples = new Map(cells.map(({ key, samples }) => [key, samples]));
  const others = entries.filter(({ cell, sample }) => sample >= (samples.get(cell) ?? 0));
  const known = [...(manifest?.cells ?? []), ...(manifest?.leftOut ?? [])];
  return {
    results: others.length,
    cells: leftOutCells(cells, known, others).map((cell) => ({
      cell,
      results: others.filter((entry) => entry.cell === cell.key).length,
    })),
  };
}

interface Look {
  readonly manifest: Manifest | undefined;
  /** Group by group the cells of the spec under today's keys; none where the folder does not know the group's model. */
  readonly cells: readonly (readonly CellInfo[])[];
  readonly records: readonly SampleRecord[];
  readonly inapplicable: readonly Inapplicable[];
  readonly changedModels: readonly string[];
}

async function lookAt(spec: ResolvedSpec, engine: string | undefined): Promise<Look> {
  const user = { spec: spec.canonical, specHash: specHash(spec), engine, protocol: PROTOCOL_VERSION };
  const { manifest, records, inapplicable } = inspectFolder(spec.output, user);
  if (manifest === undefined) {
    return { manifest, cells: spec.groups.map(() => []), records, inapplicable, changedModels: [] };
  }
  const models = new Map(manifest.models.map((model) => [model.name, model]));
  const opener = new TaskOpener(spec.registry.tasks, spec.folder);
  const calibrations = calibrationDigests(spec);
  const cells: CellInfo[][] = [];
  for (const group of spec.groups) {
    const model = models.get(group.model);
    if (model === undefined) {
      cells.push([]);
      continue;
    }
    const { digest } = await opener.open(group);
    cells.push(cellsOfGroup(spec, group, model, digest, calibrations));
  }
  return {
    manifest,
    records,
    inapplicable,
    changedModels: manifest.models
      .filter(({ name }) => spec.groups.some(({ model }) => model === name))
      .filter((model) => modelUnchanged(model, spec.folder) === false)
      .map(({ name }) => name),
    cells,
  };
}
