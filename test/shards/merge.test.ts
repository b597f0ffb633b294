import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../src/base/errors.js';
import { journalLine } from '../../src/results/journal.js';
import { readManifest, writeManifest } from '../../src/results/manifest.js';
import type { Manifest, SampleRecord } from '../../src/results/types.js';
import { defaultOutput, mergeFolders, type MergeOutcome } from '../../src/shards/merge.js';
import { missingByShard } from '../../src/shards/merge-gaps.js';
import { dealSamples } from '../../src/experiment/shard.js';
import { cell, full, inFolder, manifest, record, spark } from '../results/support.js';

/** Two groups of four samples, two pipelines each. */
const cells = [1024, 2048].flatMap((context) => [cell(full, { context }), cell(spark, { context })]);
const shardOf = dealSamples([{ samples: 4 }, { samples: 4 }], 3);
const all = cells.flatMap((info) =>
  [0, 1, 2, 3].map((sample) => record(info, sample, { score: sample / 4 })),
);

function folder(path: string, records: readonly SampleRecord[], changes: Partial<Manifest> = {}): string {
  mkdirSync(path, { recursive: true });
  writeManifest(join(path, 'manifest.json'), manifest(cells, changes));
  writeFileSync(join(path, 'journal.jsonl'), records.map(journalLine).join(''));
  return path;
}

/** The folders of a run in three shards. */
function shards(root: string): string[] {
  return [1, 2, 3].map((index) => {
    const own = all.filter((_, i) => shardOf(Math.floor(i / 8), i % 4) === index);
    return folder(join(root, 'shards', `${index}-of-3`), own, { shard: { index, count: 3 } });
  });
}

function refusal(folders: readonly string[], output: string): string {
  try {
    mergeFolders(folders, output);
  } catch (error) {
    expect(error).to.be.instanceOf(UserError);
    return (error as UserError).format();
  }
  throw new Error('expected a UserError');
}

const text = (...path: string[]): string => readFileSync(join(...path), 'utf8');

describe('runner/merge', () => {
  it('gives the same files, whatever the folders and their order', () =>
    inFolder((root) => {
      mergeFolders([folder(join(root, 'one'), all)], join(root, 'expected'));
      const names = ['accuracy.csv', 'memory.csv', 'journal.jsonl'];
      const expected = names.map((name) => text(root, 'expected', name));
      let runs = 0;
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 16, maxLength: 16 }), (owners) => {
          const run = join(root, String(runs++));
          const parts = [0, 1, 2, 3].map((part) => all.filter((_, i) => owners[i] === part).toReversed());
          const folders = parts.map((records, part) => folder(join(run, String(part)), records));
          expect(mergeFolders(folders, join(run, 'out')).gaps).to.deep.equal([]);
          expect(names.map((name) => text(run, 'out', name))).to.deep.equal(expected);
        }),
        { numRuns: 20 },
      );
    }));

  it('keeps where the results came from', () =>
    inFolder((root) => {
      const folders = shards(root);
      expect(defaultOutput(folders)).to.equal(root);
      mergeFolders(folders, root);
      const { shard, parts, finishedAt, ...rest } = readManifest(join(root, 'manifest.json'))!;
      expect(shard).to.equal(undefined);
      expect(finishedAt).to.be.a('string');
      expect(rest.cells).to.deep.equal(cells);
      expect(parts!.map((part) => part.folder)).to.deep.equal([1, 2, 3].map((i) => `shards/${i}-of-3`));
      mergeFolders([root], join(root, 'more'));
      expect(readManifest(join(root, 'more', 'manifest.json'))!.parts![0]!.folder).to.equal(
        '../shards/1-of-3',
      );
    }));

  it('tells what is missing, keeps what is there, and goes on from it', () =>
    inFolder((root) => {
      const folders = shards(root);
      const { gaps, shards: count, records }: MergeOutcome = mergeFolders(folders.slice(1), root);
      expect(count).to.equal(3);
      expect(records).to.have.length(10);
      expect(missingByShard(cells, gaps, 3)).to.deep.equal([6, 0, 0]);
      expect(readdirSync(root).sort()).to.deep.equal(['journal.jsonl', 'manifest.json', 'shards']);
      expect(readManifest(join(root, 'manifest.json'))!.finishedAt).to.equal(null);
      expect(mergeFolders([folders[0]!], root).gaps).to.deep.equal([]);
      const once = text(root, 'accuracy.csv');
      // As a merge leaves it that is killed before its journal is written.
      writeManifest(join(root, 'manifest.json'), manifest(cells));
      writeFileSync(join(root, 'journal.jsonl.1.tmp'), '{');
      expect(mergeFolders(folders, root).gaps).to.deep.equal([]);
      expect(text(root, 'accuracy.csv')).to.equal(once);
      expect(readdirSync(root).filter((name) => /tmp|lock/.test(name))).to.deep.equal([]);
    }));

  it('changes no folder that it reads', () =>
    inFolder((root) => {
      const folders = shards(root);
      appendFileSync(join(folders[0]!, 'journal.jsonl'), '{"torn');
      const before = folders.map((path) => [
        readdirSync(path),
        text(path, 'journal.jsonl'),
        text(path, 'manifest.json'),
      ]);
      const { notes } = mergeFolders(folders, root);
      expect(notes).to.deep.equal([`${folders[0]!}: left out a torn last line (6 bytes)`]);
      expect(
        folders.map((path) => [readdirSync(path), text(path, 'journal.jsonl'), text(path, 'manifest.json')]),
      ).to.deep.equal(before);
    }));

  it('names every folder that is of another run, and what differs', () =>
    inFolder((root) => {
      const [first, second, third] = shards(root) as [string, string, string];
      const output = join(root, 'out');
      const own = manifest(cells);
      const other = (changes: Partial<Manifest>): string => {
        folder(second, [], changes);
        return refusal([second, first, third], output);
      };
      const spec = { ...(own.spec as object), seed: [7] };
      expect(other({ spec, specHash: 'other' }))
        .to.contain(`${second}\n    spec, seed: null → 7`)
        .and.not.contain(third);
      expect(other({ engine: { ...own.engine, name: 'cpu' } })).to.contain(
        `\n  ${second}\n    engine: wasm → cpu`,
      );
      expect(other({ engine: { ...own.engine, versions: { tfjs: '5' } } })).to.contain(
        'versions of the engine: {"tfjs":"4.22.0"} → {"tfjs":"5"}',
      );
      expect(other({ version: '9.9.9' })).to.contain('version of spark-eval: 0.1.0 → 9.9.9');
      expect(other({ models: [{ ...own.models[0]!, weightsDigest: 'v' }] })).to.contain(
        'weights of spark-nano: w → v',
      );
      expect(other({ data: [{ task: 'ruler/one', digest: 'e' }] })).to.contain('data of ruler/one: d → e');
      const otherwise = cells.map((info) => ({ ...info, key: '0123456789abcdef' }));
      expect(other({ cells: otherwise })).to.contain('cells: made by another program');
      expect(existsSync(output)).to.equal(false);
    }));

  it('joins folders of a run and of what it has grown to, whatever their order', () =>
    inFolder((root) => {
      const spec = { ...(manifest(cells).spec as object), context: [1024, 2048, 4096] };
      const more = [1024, 2048, 4096].flatMap((context) =>
        [full, spark].map((pipeline) => cell(pipeline, { context, samples: 6 })),
      );
      const whole = more.flatMap((info) => [0, 1, 2, 3, 4, 5].map((sample) => record(info, sample)));
      const old = all.map((entry) => ({ ...entry, score: 0.5 }));
      const smaller = folder(join(root, 'smaller'), old, { shard: { index: 1, count: 2 } });
      const known = new Set(old.map(({ cell, sample }) => `${cell} ${sample}`));
      const rest = whole.filter(({ cell, sample }) => !known.has(`${cell} ${sample}`));
      const larger = folder(join(root, 'larger'), rest, { cells: more, spec, specHash: 'more' });
      const expected = mergeFolders([folder(join(root, 'whole'), whole, { cells: more })], join(root, 'a'));
      for (const [index, folders] of [
        [smaller, larger],
        [larger, smaller],
      ].entries()) {
        const output = join(root, `out${index}`);
        const { records, gaps } = mergeFolders(folders, output);
        expect(gaps).to.deep.equal([]);
        expect(records).to.deep.equal(expected.records);
        expect(text(output, 'accuracy.csv')).to.equal(text(root, 'a', 'accuracy.csv'));
        expect(readManifest(join(output, 'manifest.json'))).to.include({ specHash: 'more' });
      }
    }));

  it('goes on from an output of the earlier spec, whose other results stay in its journal', () =>
    inFolder((root) => {
      const output = folder(join(root, 'out'), all);
      const fewer = cells.filter(({ pipeline }) => pipeline === 'full');
      const cells5 = fewer.map((info) => ({ ...info, samples: 5 }));
      const records = cells5.map((info) => record(info, 4));
      const shard = folder(join(root, 'shard'), records, { cells: cells5, specHash: 'fewer' });
      const { gaps, notes } = mergeFolders([shard], output);
      expect(gaps).to.deep.equal([]);
      expect(notes).to.deep.equal([
        `${output}: left out 8 results of cells that the spec does not have today`,
      ]);
      expect(text(output, 'journal.jsonl').trim().split('\n')).to.have.length(18);
      expect(text(output, 'accuracy.csv')).to.not.contain('spark(');
      const { original, extensions, leftOut } = readManifest(join(output, 'manifest.json'))!;
      expect(original!.specHash).to.equal(manifest(cells).specHash);
      expect(extensions!.map(({ specHash }) => specHash)).to.deep.equal(['fewer']);
      expect(leftOut!.map(({ pipeline }) => pipeline)).to.deep.equal([
        'spark(ratio=0.8)',
        'spark(ratio=0.8)',
      ]);
    }));

  it('refuses two specs of which neither asks for all, unless one was extended from the other', () =>
    inFolder((root) => {
      const own = manifest(cells);
      const one = folder(join(root, 'one'), all.slice(0, 4));
      const changes = {
        cells: cells.slice(2),
        specHash: 'other',
        spec: { ...(own.spec as object), context: [2048] },
      };
      const other = folder(join(root, 'other'), [], {
        ...changes,
        cells: [...cells.slice(1), cell(full, { context: 9 })],
      });
      expect(refusal([one, other], join(root, 'out'))).to.contain('spec, context: 1024 → 2048');
      const { spec, specHash, version, git, startedAt } = own;
      folder(other, [], {
        ...changes,
        original: { spec, specHash, version, git, startedAt },
        extensions: [],
      });
      expect(mergeFolders([one, other], join(root, 'out')).cells).to.deep.equal(changes.cells);
    }));

  it('refuses a grown folder whose cells of the same name are others', () =>
    inFolder((root) => {
      const one = folder(join(root, 'one'), all);
      const changed = cells.map((info) => ({
        ...info,
        samples: 9,
        key: info.key.replace(/^./, 'x').replace('x', '0'),
      }));
      const other = folder(join(root, 'other'), [], {
        cells: changed,
        specHash: 'other',
        data: [{ task: 'ruler/one', digest: 'e' }],
      });
      expect(refusal([one, other], join(root, 'out'))).to.contain('data of ruler/one: d → e');
    }));

  it('takes machines with other threads, and tells of other processors', () =>
    inFolder((root) => {
      const [first, second] = shards(root) as [string, string];
      const on = (path: string, name: string, threads: number, model: string): string =>
        folder(path, [], { engine: { name, threads, versions: {} }, cpu: { model, cores: 2 } });
      on(first, 'native', 8, 'a');
      expect(mergeFolders([first, on(second, 'native', 4, 'a')], root).notes).to.deep.equal([]);
      expect(mergeFolders([first, on(second, 'native', 4, 'b')], root).notes).to.deep.equal([
        'the folders are of different processors: a, b',
      ]);
      on(first, 'wasm', 8, 'a');
      expect(mergeFolders([first, on(second, 'wasm', 4, 'b')], root).notes).to.deep.equal([]);
    }));

  it('takes equal answers once and refuses two that differ', () =>
    inFolder((root) => {
      const one = folder(join(root, 'one'), all);
      const slower = folder(join(root, 'two'), [{ ...all[0]!, prefillSeconds: 99, peakRssBytes: 1 }]);
      expect(mergeFolders([one, slower], join(root, 'out')).records[0]).to.deep.equal(all[0]);
      const otherwise = folder(join(root, 'two'), [{ ...all[5]!, prediction: 'no', score: 0 }]);
      const message = refusal([one, otherwise], join(root, 'out'));
      expect(message).to.contain(`${one} and ${otherwise}`).and.to.contain('sample 1 of spark(ratio=0.8)');
      expect(message).to.contain('score: 0.25 → 0').and.to.contain('→ no');
      // The output's own results count, too.
      expect(refusal([otherwise], join(root, 'out'))).to.contain('has two answers');
    }));

  it('leaves out results of other cells and says so; those of the output stay in its journal', () =>
    inFolder((root) => {
      const stale = record(cell(full, { context: 77 }), 0);
      const tooMany = record(cells[0]!, 4);
      const one = folder(join(root, 'one'), [stale, ...all, tooMany]);
      const output = folder(join(root, 'out'), [stale]);
      const { notes, records } = mergeFolders([one], output);
      expect(records).to.deep.equal(all);
      expect(notes[0]).to.equal(`${one}: left out 2 results of cells that the spec does not have today`);
      const lines = text(output, 'journal.jsonl').trim().split('\n');
      expect(lines).to.have.length(all.length + 1);
      expect(JSON.parse(lines.at(-1)!)).to.deep.equal(stale);
    }));

  it('wants folders of results, an output, and nobody else at it', () =>
    inFolder((root) => {
      const folders = shards(root);
      expect(refusal([join(root, 'none')], root)).to.contain('no such folder');
      mkdirSync(join(root, 'empty'));
      expect(refusal([join(root, 'empty')], root)).to.contain('holds no manifest.json');
      expect(() => defaultOutput([folders[0]!, join(root, 'one')])).to.throw(UserError, 'expected --output');
      writeFileSync(join(root, 'run.lock'), JSON.stringify({ pid: process.ppid, host: hostname() }));
      expect(refusal(folders, root)).to.contain('another run is writing');
      expect(existsSync(join(root, 'journal.jsonl'))).to.equal(false);
    }));
});
