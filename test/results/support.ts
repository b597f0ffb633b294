/** Cells, records and folders for result tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cellInfo } from '../../src/results/cell-key.js';
import type { Manifest, CellInfo, SampleRecord } from '../../src/results/types.js';
import { digestOf } from '../../src/base/canonical-json.js';

export const digests = {
  weightsDigest: 'w',
  tokenizerDigest: 't',
  configDigest: 'c',
  dataDigest: 'd',
  protocol: 1,
};

export const group = {
  model: 'spark-nano',
  task: 'ruler/one',
  taskParams: {},
  context: 1024,
  seed: 42,
  samples: 4,
  question: 'compressed',
} as const;

export const full = { label: 'full', steps: [] };
export const spark = {
  label: 'spark(ratio=0.8)',
  steps: [{ method: 'spark', params: { ratio: 0.8, recovery: 'none' } }],
};

export function cell(
  pipeline: Parameters<typeof cellInfo>[1],
  changes: Partial<Parameters<typeof cellInfo>[0]> = {},
): CellInfo {
  return cellInfo({ ...group, ...changes }, pipeline, 'bfloat16', digests);
}

export function record(info: CellInfo, sample: number, changes: Partial<SampleRecord> = {}): SampleRecord {
  return {
    format: 1,
    cell: info.key,
    sample,
    prediction: 'ä "quoted"\n\u2028 \ud83d\ude00',
    answers: ['1', '2'],
    score: 0.5,
    promptTokens: 1000,
    truncated: false,
    generatedTokens: 10,
    keptTokens: 256,
    fullBytes: 1000,
    storedBytes: { value: 200, mask: 20, sign: 10, scale: 5, index: 0, latent: 0 },
    paperBytes: 200,
    prefillSeconds: 1,
    compressSeconds: 0.5,
    decodeSeconds: 2,
    peakRssBytes: 12345,
    ...changes,
  };
}

export function manifest(cells: readonly CellInfo[], changes: Partial<Manifest> = {}): Manifest {
  const spec = { name: 'quick', context: [1024], cache: [{ label: 'full' }] };
  return {
    format: 1,
    name: 'quick',
    spec,
    specHash: digestOf(spec),
    version: '0.1.0',
    git: null,
    node: 'v20',
    platform: 'linux-x64',
    cpu: { model: 'cpu', cores: 2 },
    memoryBytes: 1,
    engine: { name: 'wasm', threads: 1, versions: { tfjs: '4.22.0' } },
    models: [{ name: 'spark-nano', weightsDigest: 'w', tokenizerDigest: 't', configDigest: 'c', files: [] }],
    data: [{ task: 'ruler/one', digest: 'd' }],
    cells,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: null,
    ...changes,
  };
}

/** Runs with a folder that is removed afterwards. */
export async function inFolder<T>(run: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'spark-results-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
