import { expect } from 'chai';
import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cellInfo } from '../../src/results/cell-key.js';
import { ResultFolder } from '../../src/results/folder.js';
import { packageVersion } from '../../src/base/package.js';
import { journalLine } from '../../src/results/journal.js';
import { readManifest } from '../../src/results/manifest.js';
import type { Inapplicable, Manifest } from '../../src/results/types.js';
import { folderState } from '../../src/runner/folder-state.js';
import { modelRecord, modelUnchanged } from '../../src/runner/model-record.js';
import { PROTOCOL_VERSION } from '../../src/results/cell-key.js';
import { builtIn, type Registry } from '../../src/registry/registry.js';
import type { Task } from '../../src/tasks/types.js';
import { specHash } from '../../src/experiment/load.js';
import type { ResolvedSpec } from '../../src/experiment/types.js';
import { parseConfig } from '../../src/checkpoint/config.js';
import type { ModelFiles } from '../../src/checkpoint/types.js';
import { failureOf } from '../tasks/loader-support.js';
import { inFolder, manifest, record, spark } from '../results/support.js';

const CONFIG = parseConfig(
  {
    ...{ model_type: 'llama', num_hidden_layers: 1, hidden_size: 8, num_attention_heads: 1 },
    ...{ intermediate_size: 8, vocab_size: 8, max_position_embeddings: 8 },
  },
  undefined,
  'config.json',
);

const MODEL_FILES = ['config.json', 'tokenizer.json', 'model.safetensors'];

/** A spec with two pipelines of two samples, its model's files and its finished results, all in `root`. */
function finishedRun(root: string, left = 0): { spec: ResolvedSpec; model: string } {
  const model = join(root, 'model');
  mkdirSync(model);
  for (const name of MODEL_FILES) writeFileSync(join(model, name), '{}');
  const group = {
    model,
    task: 'ruler/one',
    taskParams: {},
    context: 1024,
    seed: 42,
    samples: 2,
    question: 'compressed',
  } as const;
  const spec: ResolvedSpec = {
    file: 'spec.yaml',
    folder: root,
    name: 'quick',
    output: join(root, 'out'),
    cacheDtype: 'bfloat16',
    pipelines: [{ label: 'full', steps: [] }, spark],
    groups: [group],
    canonical: { name: 'quick' },
    registry: registryOf('d'),
  };
  const files = modelRecord(
    {
      name: model,
      weightsDigest: 'w',
      tokenizer: { digest: 't' },
      config: CONFIG,
      chatTemplate: undefined,
    } as ModelFiles,
    root,
  );
  const digests = { ...files, dataDigest: 'd', protocol: PROTOCOL_VERSION };
  const cells = spec.pipelines.map((pipeline) => cellInfo(group, pipeline, 'bfloat16', digests));
  const finished: Manifest = manifest(cells, {
    spec: spec.canonical,
    specHash: specHash(spec),
    version: packageVersion(),
    models: [files],
    finishedAt: '2026-01-01T00:00:00.000Z',
  });
  const folder = ResultFolder.open(spec.output, {
    spec: spec.canonical,
    specHash: specHash(spec),
    engine: 'wasm',
    fresh: false,
  });
  folder.begin(finished);
  const all = cells.flatMap((info) => [record(info, 0), record(info, 1)]);
  for (const entry of all.slice(0, all.length - left)) folder.append(entry);
  folder.finish(cells, finished);
  folder.close();
  return { spec, model };
}

const registryOf = (digest: string): Registry => ({
  ...builtIn,
  tasks: new Map([['ruler/one', { open: () => ({ digest }) } as unknown as Task]]),
});

describe('runner/folder-state', () => {
  it('knows a finished run from its folder', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const finished = (await folderState(spec)).finished;
      expect(finished!.records).to.have.length(4);
      expect(finished!.cells.map((info) => info.pipeline)).to.deep.equal(['full', 'spark(ratio=0.8)']);
      expect(await folderState(spec)).to.deep.include({ done: 4, total: 4, changedModels: [] });
    }));

  it('counts what is missing, per cell', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root, 1);
      expect((await folderState(spec)).finished).to.equal(undefined);
      const state = await folderState(spec);
      expect(state.cells.map(({ pipeline, done }) => [pipeline, done])).to.deep.equal([
        ['full', 2],
        ['spark(ratio=0.8)', 1],
      ]);
    }));

  it('counts what cannot be applied as done', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root, 1);
      const [last] = (await folderState(spec)).cells.slice(-1);
      expect(last!.done).to.equal(1);
      const [, cell] = readManifest(join(spec.output, 'manifest.json'))!.cells;
      const entry: Inapplicable = { format: 1, cell: cell!.key, sample: 1, inapplicable: 'too short' };
      appendFileSync(join(spec.output, 'journal.jsonl'), journalLine(entry));
      const state = await folderState(spec);
      expect(state).to.include({ done: 4, total: 4 });
      expect(state.finished!.inapplicable).to.deep.equal([entry]);
    }));

  it('has nothing where there is no folder', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const elsewhere = { ...spec, output: join(root, 'none') };
      expect((await folderState(elsewhere)).finished).to.equal(undefined);
      expect(await folderState(elsewhere)).to.include({ done: 0, total: 4 });
    }));

  it('does not count results of other data', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const changed = registryOf('e');
      expect((await folderState({ ...spec, registry: changed })).finished).to.equal(undefined);
      expect((await folderState({ ...spec, registry: changed })).done).to.equal(0);
    }));

  it('wants a second look where the files of a model have been touched', () =>
    inFolder(async (root) => {
      const { spec, model } = finishedRun(root);
      utimesSync(join(model, 'config.json'), 1, 1);
      expect((await folderState(spec)).finished).to.equal(undefined);
      expect((await folderState(spec)).changedModels).to.deep.equal([model]);
    }));

  it('wants a second look where a table is missing', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      rmSync(join(spec.output, 'memory.csv'));
      expect((await folderState(spec)).finished).to.equal(undefined);
    }));

  it('refuses the folder of another spec or engine', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const refusal = async (state: Promise<unknown>): Promise<string> => (await failureOf(state)).format();
      expect(await refusal(folderState({ ...spec, canonical: { cache_dtype: 'float32' } }))).to.contain(
        'cache_dtype: null → float32',
      );
      expect(await refusal(folderState(spec, 'native'))).to.contain('engine "wasm", this run uses "native"');
    }));
});

describe('runner/folder-state, of a spec that has changed', () => {
  const changed = (spec: ResolvedSpec, changes: Partial<ResolvedSpec>): ResolvedSpec => ({
    ...spec,
    canonical: { name: 'quick', changed: undefined, context: [1] },
    ...changes,
  });

  it('reuses what is there of a larger one', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const [group] = spec.groups as [ResolvedSpec['groups'][number]];
      const more = changed(spec, {
        groups: [
          { ...group, model: join(root, 'unknown') },
          { ...group, samples: 5 },
          { ...group, context: 2048 },
        ],
      });
      const state = await folderState(more);
      expect(state).to.deep.include({ done: 4, total: 18, finished: undefined });
      expect(state.cells.map(({ done }) => done)).to.deep.equal([0, 0, 2, 2, 0, 0]);
      expect(state.leftOut).to.deep.equal({ results: 0, cells: [] });
    }));

  it('counts what a smaller one leaves out, and writes its tables again', () =>
    inFolder(async (root) => {
      const { spec } = finishedRun(root);
      const [group] = spec.groups as [ResolvedSpec['groups'][number]];
      const less = changed(spec, {
        groups: [{ ...group, samples: 1 }],
        pipelines: spec.pipelines.slice(0, 1),
      });
      const state = await folderState(less);
      expect(state).to.deep.include({ done: 1, total: 1, finished: undefined });
      expect(state.leftOut.results).to.equal(3);
      expect(state.leftOut.cells.map(({ cell, results }) => [cell.pipeline, results])).to.deep.equal([
        ['spark(ratio=0.8)', 2],
      ]);
    }));
});

describe('runner/model-record', () => {
  it('tells unchanged, changed and missing models apart', () =>
    inFolder((root) => {
      const path = join(root, 'model.gguf');
      writeFileSync(path, 'x');
      const files = modelRecord(
        {
          name: path,
          weightsDigest: 'w',
          tokenizer: { digest: 't' },
          config: CONFIG,
          chatTemplate: undefined,
        } as ModelFiles,
        root,
      );
      expect(files.files.map((file) => file.path)).to.deep.equal([path]);
      expect(modelUnchanged(files, root)).to.equal(true);
      writeFileSync(path, 'xy');
      expect(modelUnchanged(files, root)).to.equal(false);
      expect(modelUnchanged({ ...files, name: join(root, 'gone.gguf') }, root)).to.equal(undefined);
    }));
});
