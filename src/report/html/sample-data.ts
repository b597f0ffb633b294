/**
 * Samples as the page carries them: compressed, in blocks that are only opened when they are looked at.
 *
 * Blocks are opened only when they are looked at. Compression is done in JavaScript, so that every machine makes the
 * same bytes.
 */
import { gzipSync, strToU8 } from 'fflate';
import { type CellResult, groupIdentity } from '../../results/cell-results.js';
import type { CellInfo, SampleRecord } from '../../results/types.js';
import { taskTitle } from '../gaps.js';
import { groupBy } from '../group-by.js';

/** Both ends of a prompt, as it went to the model. */
export interface PromptEnds {
  readonly head: string;
  readonly tail: string;
  /** Characters between them. */
  readonly left: number;
}

/** Prompts by `promptKey`. */
export type Prompts = ReadonlyMap<string, PromptEnds>;

/** Names the prompt of a sample: the same for every pipeline. */
export function promptKey(cell: CellInfo, sample: number): string {
  return `${groupIdentity(cell)}#${sample}`;
}

/** Samples that share their prompts: one task, context and seed under all pipelines. */
export interface SampleSet {
  readonly title: string;
  readonly pipelines: readonly string[];
  /** Blob with the scores of all samples. */
  readonly overview: number;
  /** Blobs with everything else, `blockSize` samples each. */
  readonly blocks: readonly number[];
}

export interface PackedSamples {
  readonly blockSize: number;
  readonly sets: readonly SampleSet[];
  /** gzip, base64 */
  readonly blobs: readonly string[];
}

const BLOCK_SIZE = 50;
/** Characters of an expected answer in the list of samples. */
const BRIEF = 60;
const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'] as const;

export function packSamples(results: readonly CellResult[], prompts: Prompts = new Map()): PackedSamples {
  const blobs: string[] = [];
  const pack = (value: unknown): number => blobs.push(compress(value)) - 1;
  const sets = [...groupBy(results, ({ cell }) => groupIdentity(cell)).values()].map((cells): SampleSet => {
    const rows = samplesOf(cells);
    const { cell } = cells[0]!;
    const blocks: number[] = [];
    for (let start = 0; start < rows.length; start += BLOCK_SIZE) {
      const block = rows.slice(start, start + BLOCK_SIZE);
      blocks.push(pack(block.map((row) => detailOf(row, prompts.get(promptKey(cell, row.sample))))));
    }
    return {
      title: setTitle(cell),
      pipelines: cells.map((result) => result.cell.pipeline),
      overview: pack(overviewOf(rows)),
      blocks,
    };
  });
  return { blockSize: BLOCK_SIZE, sets, blobs };
}

interface SampleRow {
  readonly sample: number;
  /** By pipeline; undefined where it is missing. At least one is there. */
  readonly records: readonly (SampleRecord | undefined)[];
}

/** Every sample that any pipeline has. */
function samplesOf(cells: readonly CellResult[]): SampleRow[] {
  const byPipeline = cells.map(({ records }) => new Map(records.map((record) => [record.sample, record])));
  const samples = [...new Set(byPipeline.flatMap((records) => [...records.keys()]))].sort((a, b) => a - b);
  return samples.map((sample) => ({ sample, records: byPipeline.map((records) => records.get(sample)) }));
}

function setTitle(cell: CellInfo): string {
  const { model, context, seed, question } = cell;
  return `${taskTitle(cell)} · ${model} · context ${context} · seed ${seed} · question ${question}`;
}

function overviewOf(rows: readonly SampleRow[]) {
  return rows.map(({ sample, records }) => {
    const { promptTokens, answers } = anyOf(records);
    const expected = answers.join(' | ');
    return [
      sample,
      promptTokens,
      expected.length > BRIEF ? `${expected.slice(0, BRIEF)}…` : expected,
      records.map((record) => record?.score ?? null),
    ];
  });
}

function detailOf({ sample, records }: SampleRow, prompt: PromptEnds | undefined) {
  const { answers, promptTokens, truncated, fullBytes } = anyOf(records);
  return {
    sample,
    answers,
    promptTokens,
    truncated,
    fullBytes,
    ...(prompt === undefined ? {} : { prompt }),
    records: records.map((record) =>
      record === undefined
        ? null
        : [
            record.score,
            record.prediction,
            record.generatedTokens,
            record.keptTokens,
            PARTS.map((part) => record.storedBytes[part]),
            record.keptPerHead ?? null,
          ],
    ),
  };
}

function anyOf(records: readonly (SampleRecord | undefined)[]): SampleRecord {
  return records.find((record) => record !== undefined)!;
}

function compress(value: unknown): string {
  return Buffer.from(gzipSync(strToU8(JSON.stringify(value)), { mtime: 0 })).toString('base64');
}
