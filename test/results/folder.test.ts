import { expect } from 'chai';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../src/base/errors.js';
import { fileError } from '../../src/results/files.js';
import { inspectFolder, type OpenOptions, ResultFolder, tidyFolder } from '../../src/results/folder.js';
import { readManifest } from '../../src/results/manifest.js';
import { userError } from '../model/support.js';
import { cell, full, inFolder, manifest, record, spark } from './support.js';

const cells = [cell(full), cell(spark)];
const ours = manifest(cells);
const options: OpenOptions = { spec: ours.spec, specHash: ours.specHash, engine: 'wasm', fresh: false };

function fill(path: string): void {
  const folder = ResultFolder.open(path, options);
  folder.begin(ours);
  folder.append(record(cells[0]!, 0));
  folder.close();
}

function refusal(path: string, changes: Partial<OpenOptions> = {}): string {
  try {
    ResultFolder.open(path, { ...options, ...changes }).close();
  } catch (error) {
    expect(error).to.be.instanceOf(UserError);
    return (error as UserError).format();
  }
  throw new Error('expected a UserError');
}

describe('results/folder', () => {
  it('continues what it holds, and writes tables and manifest', () =>
    inFolder((root) => {
      const path = join(root, 'deep', 'folder');
      fill(path);
      const folder = ResultFolder.open(path, options);
      expect(folder.earlier).to.deep.equal(ours);
      expect(folder.has(cells[0]!.key, 0)).to.equal(true);
      expect(folder.has(cells[0]!.key, 1)).to.equal(false);
      folder.append(record(cells[1]!, 0));
      folder.append(record(cells[1]!, 0, { score: 1 }));
      const finished = { ...ours, finishedAt: '2026-01-02T00:00:00.000Z' };
      folder.finish(cells, finished);
      folder.close();
      expect(readdirSync(path).sort()).to.deep.equal([
        'accuracy.csv',
        'journal.jsonl',
        'manifest.json',
        'memory.csv',
        'results.csv',
      ]);
      expect(inspectFolder(path, options)).to.deep.equal({
        manifest: finished,
        records: [record(cells[0]!, 0), record(cells[1]!, 0)],
        inapplicable: [],
      });
      expect(readFileSync(join(path, 'accuracy.csv'), 'utf8').trim().split('\n')).to.have.length(3);
    }));

  it('warns of a torn last line and drops it', () =>
    inFolder((path) => {
      fill(path);
      appendFileSync(join(path, 'journal.jsonl'), '{"format":1,');
      const folder = ResultFolder.open(path, options);
      folder.close();
      expect(folder.warnings).to.have.length(1);
      expect(folder.warnings[0]).to.contain('dropped a torn last line (12 bytes)');
      const again = ResultFolder.open(path, options);
      again.close();
      expect(again.warnings).to.deep.equal([]);
    }));

  it('refuses a spec under which its results would mean something else, and says what differs', () =>
    inFolder((path) => {
      const spec = { ...(ours.spec as object), seed: [5], cache_dtype: 'bfloat16' };
      const folder = ResultFolder.open(path, { ...options, spec });
      folder.begin({ ...ours, spec });
      folder.append(record(cells[0]!, 0));
      folder.close();
      const other = { ...spec, seed: [6], cache_dtype: 'float32', context: [2048] };
      const message = refusal(path, { spec: other, specHash: 'other' });
      expect(message).to.contain('results of another spec');
      expect(message).to.contain('seed: 5 → 6').and.to.contain('cache_dtype: bfloat16 → float32');
      expect(message).to.not.contain('context:');
      expect(message).to.contain('--fresh');
      expect(existsSync(join(path, 'run.lock'))).to.equal(false);
    }));

  it('goes on with a spec that asks for more, or for less', () =>
    inFolder((path) => {
      fill(path);
      const spec = { name: 'slow', context: [1024, 2048], cache: [{ label: 'full' }, { label: 'snapkv' }] };
      const folder = ResultFolder.open(path, { ...options, spec, specHash: 'other' });
      expect(folder.earlier).to.deep.equal(ours);
      expect(folder.has(cells[0]!.key, 0)).to.equal(true);
      folder.close();
    }));

  it('refuses the results of other model files and of another prompt protocol', () =>
    inFolder((path) => {
      fill(path);
      const [model] = ours.models;
      const models = [
        { ...model!, weightsDigest: 'v' },
        { ...model!, name: 'new' },
      ];
      expect(refusal(path, { models })).to.match(/other model files.*\n +weights of spark-nano: w → v\n/);
      ResultFolder.open(path, { ...options, models: models.slice(1), protocol: 1 }).close();
      expect(refusal(path, { protocol: 2 })).to.contain('the prompt protocol 1, this run uses 2');
    }));

  it('refuses the results of another engine', () =>
    inFolder((path) => {
      fill(path);
      expect(refusal(path, { engine: 'native' })).to.contain('engine "wasm", this run uses "native"');
    }));

  it('refuses the results of other kernels', () =>
    inFolder((path) => {
      const folder = ResultFolder.open(path, options);
      folder.begin({ ...ours, engine: { ...ours.engine, versions: { kernels: 'simd' } } });
      folder.append(record(cells[0]!, 0));
      folder.close();
      ResultFolder.open(path, { ...options, kernels: 'simd' }).close();
      expect(refusal(path, { kernels: 'simd+fma' })).to.contain('kernels "simd", this run uses "simd+fma"');
    }));

  it('refuses results that nobody claims', () =>
    inFolder((path) => {
      fill(path);
      rmSync(join(path, 'manifest.json'));
      expect(refusal(path)).to.contain('1 results but no manifest.json');
      writeFileSync(join(path, 'manifest.json'), '{"format": 1');
      expect(refusal(path)).to.contain('expected JSON');
      writeFileSync(join(path, 'manifest.json'), '{"format": 7}');
      expect(refusal(path)).to.contain('not a manifest of format 1');
    }));

  it('is not bound by a manifest without results', () =>
    inFolder((path) => {
      writeFileSync(join(path, 'manifest.json'), 'nonsense');
      ResultFolder.open(path, options).close();
    }));

  it('starts over when told to, and leaves other files alone', () =>
    inFolder((path) => {
      fill(path);
      writeFileSync(join(path, 'notes.txt'), 'mine');
      const folder = ResultFolder.open(path, { ...options, specHash: 'other', fresh: true });
      expect(folder.records).to.deep.equal([]);
      folder.close();
      expect(readdirSync(path).sort()).to.deep.equal(['journal.jsonl', 'notes.txt']);
    }));

  it('keeps records of other cells', () =>
    inFolder((path) => {
      fill(path);
      const stale = record(cell(full, { context: 77 }), 0);
      appendFileSync(join(path, 'journal.jsonl'), `${JSON.stringify(stale)}\n`);
      const folder = ResultFolder.open(path, options);
      folder.finish(cells, ours);
      folder.close();
      expect(inspectFolder(path, options).records).to.have.length(2);
      expect(readFileSync(join(path, 'accuracy.csv'), 'utf8')).to.not.contain(',77,');
    }));

  it('refuses a folder that cannot be made or written', () =>
    inFolder((root) => {
      writeFileSync(join(root, 'file'), '');
      expect(refusal(join(root, 'file', 'results'))).to.contain(
        'cannot create the result folder: a part of the path is a file',
      );
      mkdirSync(join(root, 'blocked', 'journal.jsonl'), { recursive: true });
      expect(refusal(join(root, 'blocked'))).to.match(/a folder of that name is in the way/);
    }));

  it('says what helps where the disk is full or permission is missing', () => {
    const words = (code: string, path: string, action: string): string => {
      const error = fileError(Object.assign(new Error('x'), { code }), path, action);
      return error instanceof UserError ? error.format() : 'not a UserError';
    };
    expect(words('ENOSPC', '/out/journal.jsonl', 'append to the journal')).to.equal(
      '/out/journal.jsonl  cannot append to the journal: the disk is full\n  Free some space and run the same command again; what is finished is kept.',
    );
    expect(words('EACCES', '/out', 'create the result folder')).to.equal(
      '/out  cannot create the result folder: permission denied\n  Choose another output folder: --output FOLDER.',
    );
  });

  it('writes the manifest in one step', () =>
    inFolder((path) => {
      fill(path);
      expect(readManifest(join(path, 'manifest.json'))).to.deep.equal(ours);
      expect(readdirSync(path).filter((name) => name.includes('tmp'))).to.deep.equal([]);
    }));

  it('notices before it writes that the folder was removed or replaced', () =>
    inFolder((root) => {
      const path = join(root, 'results');
      for (const replace of [false, true]) {
        fill(path);
        const folder = ResultFolder.open(path, options);
        renameSync(path, join(root, 'aside'));
        if (replace) fill(path);
        const error = userError(() => {
          folder.append(record(cells[1]!, 0));
        });
        folder.close();
        expect(error.format()).to.match(
          /journal\.jsonl {2}the journal is no longer in its place.*\n {2}Put it back/,
        );
        expect(inspectFolder(join(root, 'aside'), options).records).to.have.length(1);
        expect(existsSync(join(root, 'aside', 'run.lock'))).to.equal(true);
        rmSync(path, { recursive: true, force: true });
        renameSync(join(root, 'aside'), path);
        const again = ResultFolder.open(path, options);
        expect(again.records).to.have.length(1);
        again.close();
        rmSync(path, { recursive: true });
      }
    }));

  it('says so where the folder is gone when the tables are written', () =>
    inFolder((root) => {
      const path = join(root, 'results');
      fill(path);
      const folder = ResultFolder.open(path, options);
      rmSync(path, { recursive: true });
      const error = userError(() => {
        folder.finish(cells, ours);
      });
      folder.close();
      expect(error.format()).to.match(
        /accuracy\.csv {2}cannot write: it is no longer there\n {2}Was the folder removed/,
      );
    }));

  it('removes what a killed run was writing, and nothing else', () =>
    inFolder((path) => {
      fill(path);
      const others = ['accuracy.csv.tmp', 'notes.txt.7.tmp', 'accuracy.csv.x.tmp'];
      for (const name of ['accuracy.csv.7.tmp', 'manifest.json.123.tmp', ...others])
        writeFileSync(join(path, name), '');
      ResultFolder.open(path, options).close();
      expect(readdirSync(path).sort()).to.deep.equal(['journal.jsonl', 'manifest.json', ...others].sort());
    }));

  it('tidies up behind a finished run that was killed at its very end, and no other', () =>
    inFolder((path) => {
      fill(path);
      const lock = (pid: number): void => {
        writeFileSync(join(path, 'run.lock'), JSON.stringify({ pid, host: hostname() }));
      };
      for (const name of ['run.lock.999999999', 'accuracy.csv.7.tmp']) writeFileSync(join(path, name), '');
      lock(process.ppid);
      tidyFolder(path);
      expect(readdirSync(path)).to.have.length(5);
      lock(999_999_999);
      tidyFolder(path);
      expect(readdirSync(path).sort()).to.deep.equal(['journal.jsonl', 'manifest.json']);
      writeFileSync(join(path, 'accuracy.csv.7.tmp'), '');
      tidyFolder(path);
      expect(readdirSync(path)).to.have.length(3);
    }));

  it('makes the results.csv of a finished run of an earlier version, and leaves its other tables alone', () =>
    inFolder((path) => {
      fill(path);
      const finished = { manifest: ours, records: [record(cells[0]!, 0)], inapplicable: [] };
      writeFileSync(join(path, 'accuracy.csv'), 'as it was');
      tidyFolder(path, finished);
      expect(readFileSync(join(path, 'results.csv'), 'utf8').trim().split('\n')).to.have.length(3);
      expect(readFileSync(join(path, 'accuracy.csv'), 'utf8')).to.equal('as it was');
      writeFileSync(join(path, 'results.csv'), 'there');
      tidyFolder(path, finished);
      expect(readFileSync(join(path, 'results.csv'), 'utf8')).to.equal('there');
      expect(readdirSync(path)).to.have.length(4);
    }));

  describe('lock', () => {
    const lock = (path: string, holder: unknown): void => {
      writeFileSync(join(path, 'run.lock'), typeof holder === 'string' ? holder : JSON.stringify(holder));
    };

    it('lets one run in at a time', () =>
      inFolder((path) => {
        const folder = ResultFolder.open(path, options);
        expect(refusal(path)).to.contain(
          `another run is writing to this result folder (process ${process.pid} on`,
        );
        folder.close();
        ResultFolder.open(path, options).close();
      }));

    it('respects a process that runs, and one of another machine', () =>
      inFolder((path) => {
        lock(path, { pid: process.ppid, host: hostname() });
        expect(refusal(path)).to.contain(`process ${process.ppid}`);
        lock(path, { pid: 999_999_999, host: 'elsewhere.invalid' });
        expect(refusal(path)).to.contain('elsewhere.invalid');
      }));

    it('takes over from a process that is gone', () =>
      inFolder((path) => {
        const host = hostname();
        const abandoned = ['', '{"pid":1', ...[999_999_999, process.pid].map((pid) => ({ pid, host }))];
        for (const holder of abandoned) {
          lock(path, holder);
          ResultFolder.open(path, options).close();
          expect(readdirSync(path)).to.deep.equal(['journal.jsonl']);
        }
      }));

    it('takes over from a process whose id another one has now', function () {
      if (process.platform !== 'linux') this.skip();
      return inFolder((path) => {
        lock(path, { pid: process.ppid, host: hostname(), started: '1' });
        ResultFolder.open(path, options).close();
        const [, started] = /^\d+ \(.*\) (?:\S+ ){19}(\d+)/s.exec(
          readFileSync(`/proc/${process.ppid}/stat`, 'utf8'),
        )!;
        lock(path, { pid: process.ppid, host: hostname(), started });
        expect(refusal(path)).to.contain(`process ${process.ppid}`);
      });
    });

    it('leaves the lock of another run alone when it is done', () =>
      inFolder((path) => {
        const folder = ResultFolder.open(path, options);
        lock(path, { pid: process.ppid, host: hostname() });
        folder.close();
        expect(existsSync(join(path, 'run.lock'))).to.equal(true);
      }));
  });
});
