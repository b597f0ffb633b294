import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { UserError } from '../../../src/base/errors.js';
import { fileDigest } from '../../../src/tasks/files/data-file.js';
import { readParquetRows } from '../../../src/tasks/files/parquet-file.js';
import { failureOf } from '../loader-support.js';

const HINT = 'spark-eval pull x';

describe('Parquet files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, bytes: Uint8Array | ArrayBuffer): string => {
    const path = join(folder, name);
    writeFileSync(path, new Uint8Array(bytes));
    return path;
  };
  const good = (): ArrayBuffer =>
    parquetWriteBuffer({
      columnData: [
        { name: 'task', data: ['a', 'a', 'b', 'c', 'b', 'c'], type: 'STRING' },
        { name: 'text', data: ['ä', 'zwei', 'drei', 'vier', 'fünf\n5', 'sechs'], type: 'STRING' },
        { name: 'n', data: [1n, 2n, 3n, 4n, 5n, 6n], type: 'INT64' },
      ],
      rowGroupSize: 2,
    });

  it('gives all rows with their places, and only the columns that are asked for', async () => {
    const path = write('good.parquet', good());
    const rows = await readParquetRows(path, ['text'], { hint: HINT });
    expect(rows).to.have.length(6);
    expect(rows[4]).to.deep.equal({ value: { text: 'fünf\n5' }, place: `${path}:row 5` });
  });

  it('gives the rows with a value, also where they do not stand together', async () => {
    const path = write('good.parquet', good());
    const only = (equals: string) =>
      readParquetRows(path, ['n'], { only: { column: 'task', equals }, hint: HINT });
    expect(await only('b')).to.deep.equal([
      { value: { task: 'b', n: 3n }, place: `${path}:row 3` },
      { value: { task: 'b', n: 5n }, place: `${path}:row 5` },
    ]);
    expect(await only('c')).to.have.length(2);
    expect(await only('d')).to.deep.equal([]);
  });

  it('says which columns it expected', async () => {
    const error = await failureOf(
      readParquetRows(write('good.parquet', good()), ['text', 'tasks'], { hint: HINT }),
    );
    expect(error.message).to.equal('expected the columns text, tasks, found task, text, n');
    expect(error.hint).to.equal(HINT);
  });

  it('a file that is missing, empty, cut or of another kind is an error with its path', async () => {
    const bytes = new Uint8Array(good());
    const files = [
      join(folder, 'none.parquet'),
      write('empty.parquet', new Uint8Array()),
      write('short.parquet', Buffer.from('PAR1')),
      write('cut.parquet', bytes.subarray(0, bytes.length - 20)),
      write('head-lost.parquet', bytes.subarray(60)),
      write('text.parquet', Buffer.from('{"task": "a"}\n'.repeat(100))),
    ];
    for (const path of files) {
      const error = await failureOf(readParquetRows(path, ['text'], { hint: HINT }));
      expect(error.place, path).to.equal(path);
      expect(error.message, path).to.match(/expected a Parquet file|expected the columns/);
    }
  });

  it('refuses a file that claims too many rows', async () => {
    const bytes = Buffer.from(good());
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const rows = bytes.indexOf(Buffer.from([0x16, 12]), footer); // a 64-bit field with the zigzag value 6
    const huge = Buffer.concat([
      bytes.subarray(0, rows + 1),
      Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04]),
      bytes.subarray(rows + 2),
    ]);
    huge.writeUInt32LE(huge.readUInt32LE(huge.length - 8) + 4, huge.length - 8);
    const error = await failureOf(readParquetRows(write('huge.parquet', huge), ['text'], { hint: HINT }));
    expect(error.message).to.match(/^expected at most 1000000 rows, found \d{7,}/);
  });

  it('any damaged byte gives rows or a UserError, nothing else', async () => {
    const bytes = new Uint8Array(good());
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = bytes.slice();
        damaged[at]! ^= flip;
        const path = write('damaged.parquet', damaged);
        try {
          expect(await readParquetRows(path, ['task', 'text', 'n'], { hint: HINT })).to.be.an('array');
        } catch (error) {
          expect(error).to.be.instanceOf(UserError);
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it('impossible sizes in the header of a page do not keep it busy', async () => {
    const bytes = new Uint8Array(good());
    const found = new Set<string>();
    for (let at = 4; at < 60; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x80;
      try {
        await readParquetRows(write('damaged.parquet', damaged), ['task'], { hint: HINT });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        found.add(error.message);
      }
    }
    expect([...found].some((message) => message.includes('column task: impossible sizes in the page'))).to.be
      .true;
  });

  it('has a digest of the bytes', () => {
    const path = write('digest.parquet', good());
    expect(fileDigest(path)).to.match(/^[0-9a-f]{64}$/);
    expect(fileDigest(write('copy.parquet', readFileSync(path)))).to.equal(fileDigest(path));
    expect(() => fileDigest(join(folder, 'none.parquet'))).to.throw(UserError, /cannot read/);
  });
});
