/** A run of a few jobs, and what computes them: no model, no engine. */
import { builtIn } from '../../src/registry/registry.js';
import type { Admitted } from '../../src/queue/admission.js';
import type { Progress } from '../../src/runner/progress.js';
import type { Job, JobRunner } from '../../src/runner/jobs.js';
import type { Manifest, SampleRecord } from '../../src/results/types.js';
import { SpecDocument } from '../../src/experiment/document.js';
import { applyOverride } from '../../src/experiment/overrides.js';
import { resolveSource, sourceOf } from '../../src/queue/spec-source.js';
import type { ResolvedSpec } from '../../src/experiment/types.js';
import { fileURLToPath } from 'node:url';

const SPEC = fileURLToPath(new URL('./spec.yaml', import.meta.url));

const document = SpecDocument.read(SPEC);
applyOverride(document, 'output=nowhere');
export const SOURCE = sourceOf(document);
/** Two groups of three samples under two pipelines. */
export const spec: ResolvedSpec = await resolveSource(SOURCE, builtIn);
export const CELLS = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(16));

export const manifest = {
  cells: CELLS.map((key) => ({ key })),
  engine: { name: 'wasm', threads: 1, versions: {} },
  models: [],
  data: [],
} as unknown as Manifest;

export const jobs: Job[] = [0, 1].flatMap((group) =>
  [0, 1, 2].map((sample) => ({
    group,
    sample,
    weightSet: 0,
    missing: [0, 1].map((pipeline) => ({ pipeline, cell: CELLS[2 * group + pipeline]! })),
  })),
);

export function record(cell: string, sample: number): SampleRecord {
  return {
    format: 1,
    cell,
    sample,
    prediction: 'yes',
    answers: ['yes'],
    score: 1,
    promptTokens: 10,
    truncated: false,
    generatedTokens: 1,
    keptTokens: 5,
    fullBytes: 100,
    storedBytes: { value: 50, mask: 0, sign: 0, scale: 0, index: 0, latent: 0 },
    paperBytes: 50,
    prefillSeconds: 1,
    compressSeconds: 1,
    decodeSeconds: 1,
    peakRssBytes: 1,
  };
}

export function recordsOf({ missing, sample }: Job): SampleRecord[] {
  return missing.map(({ cell }) => record(cell, sample));
}

/** What a worker has taken in, with jobs that `compute` answers. */
export function admitted(compute: JobRunner['run']): Admitted {
  return { spec, cells: CELLS, start: () => ({ run: compute, close: () => undefined }) };
}

/** Keeps what is told. */
export function listener(): Progress & { readonly lines: string[] } {
  const lines: string[] = [];
  const nothing = (): void => undefined;
  return {
    lines,
    start: nothing,
    phase: nothing,
    tick: nothing,
    stop: nothing,
    log: (line) => lines.push(line),
  };
}
