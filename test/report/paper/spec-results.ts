/** Results of a spec of experiments/paper, with made-up scores. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MODEL_NAMES } from '../../../src/pull/models.js';
import { builtIn } from '../../../src/registry/registry.js';
import { SpecDocument } from '../../../src/experiment/document.js';
import { applyOverride } from '../../../src/experiment/overrides.js';
import { type Block, blocksOf } from '../../../src/report/blocks.js';
import type { PaperTableName } from '../../../src/report/paper/index.js';
import { collectResults } from '../../../src/results/cell-results.js';
import { cellInfo } from '../../../src/results/cell-key.js';
import type { CellInfo, SampleRecord } from '../../../src/results/types.js';
import { resolveSpec } from '../../../src/experiment/load.js';
import { digests, record } from '../../results/support.js';

const folder = fileURLToPath(new URL('../../../experiments/paper/', import.meta.url));
const catalogue = { ...builtIn, models: MODEL_NAMES };

/** The spec that fills each published table. */
export const SPECS: Readonly<Record<PaperTableName, string>> = {
  table1: 'table1-longbench',
  table2: 'table2-ruler',
  table3: 'table3-recovery',
  table4: 'table4-adaptive',
  'value-channels': 'value-channels',
};

/** All specs by name, twins included. */
export function specNames(): string[] {
  return readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));
}

/** The cells of a spec, each with `samples` samples. */
export function cellsOf(name: string, overrides: readonly string[] = [], samples?: number): CellInfo[] {
  const document = SpecDocument.read(`${folder}${name}.yaml`);
  for (const override of overrides) applyOverride(document, override);
  const spec = resolveSpec(document, { catalogue });
  return spec.groups.flatMap((group) =>
    spec.pipelines.map((pipeline) =>
      cellInfo({ ...group, samples: samples ?? group.samples }, pipeline, spec.cacheDtype, digests),
    ),
  );
}

/** Every sample of these cells, each pipeline with a score of its own. */
export function recordsOf(cells: readonly CellInfo[]): SampleRecord[] {
  const pipelines = [...new Set(cells.map(({ pipeline }) => pipeline))];
  return cells.flatMap((info) =>
    Array.from({ length: info.samples }, (_, sample) =>
      record(info, sample, {
        score: 1 - pipelines.indexOf(info.pipeline) / 100,
        keptTokens: info.pipeline === 'full' ? 1000 : 256,
      }),
    ),
  );
}

export function blockOf(cells: readonly CellInfo[], records: readonly SampleRecord[] = []): Block {
  return blocksOf(collectResults(cells, records))[0]!;
}
