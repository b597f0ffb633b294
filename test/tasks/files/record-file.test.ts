import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { checkRecord, RecordFile } from '../../../src/tasks/files/record-file.js';
import { scannerFor } from '../../../src/tasks/files/record-spans.js';
import { faultOf, folderOf, jsonLines, removeFolders } from '../loader-support.js';

const HINT = 'spark-eval pull it';

function opened(text: string): RecordFile {
  return RecordFile.open(join(folderOf({ 'data.json': text }), 'data.json'), HINT);
}

const values = (file: RecordFile) => Array.from(file.records(), ({ value }) => value);

describe('RecordFile', () => {
  after(removeFolders);

  it('reads JSON lines and arrays of objects alike, whatever is in them', () => {
    const records = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(records, fc.constantFrom(0, 2), (rows, indent) => {
        const same = JSON.parse(JSON.stringify(rows)) as unknown;
        expect(values(opened(jsonLines(rows)))).to.deep.equal(same);
        expect(values(opened(JSON.stringify(rows, null, indent)))).to.deep.equal(same);
      }),
      { numRuns: 40 },
    );
  });

  it('finds the same spans however the bytes are cut into chunks', () => {
    const text = JSON.stringify([{ a: '}],[{"\\' }, { b: [[{ c: '"' }], 'é'] }, {}], null, 1);
    const spans = (chunk: number, bytes: Uint8Array) => {
      const scanner = scannerFor('f', bytes);
      for (let at = 0; at < bytes.length; at += chunk) scanner.push(bytes.subarray(at, at + chunk));
      return scanner.finish();
    };
    for (const written of [text, jsonLines([{ a: 1 }, { b: 2 }])]) {
      const bytes = Buffer.from(written);
      for (const chunk of [1, 2, 3, 7]) {
        expect(spans(chunk, bytes)).to.deep.equal(spans(bytes.length, bytes));
      }
    }
  });

  it('says on which line a record begins', () => {
    const lines = opened('{"a":1}\n{"a":2}');
    expect(lines.record(1).place).to.equal(`${lines.path}:2`);
    const array = opened('[\n {"a":\n1},\n\n {"a":2}\n]\n');
    expect(array.count).to.equal(2);
    expect(array.record(1)).to.deep.equal({ value: { a: 2 }, place: `${array.path}:5` });
  });

  it('has the digest of the bytes', () => {
    const text = '{"a":"ü"}\n';
    expect(opened(text).digest).to.equal(createHash('sha256').update(text).digest('hex'));
  });

  it('names file and line of a line that is not JSON', () => {
    const file = opened('{"a":1}\n\n{"a":\n');
    expect(file.count).to.equal(2);
    expect(faultOf(() => file.record(1)))
      .to.include(`${file.path}:3  expected a JSON object`)
      .and.include('one JSON object a line');
  });

  for (const [what, text] of [
    ['between and behind the records', '{"a":1}\n\n{"a":2}\n\n'],
    ['of carriage returns', '{"a":1}\r\n\r\n{"a":2}\r\n\r\n'],
    ['of white space, the first of them too', ' \t\n{"a":1}\n \n\t\n{"a":2}'],
    ['behind a byte order mark', '\ufeff{"a":1}\n\n{"a":2}'],
  ] as const) {
    it(`passes over blank lines ${what}, and counts them`, () => {
      const file = opened(text);
      expect(values(file)).to.deep.equal([{ a: 1 }, { a: 2 }]);
      const line = text.slice(0, text.indexOf('{"a":2}')).split('\n').length;
      expect(file.record(1).place).to.equal(`${file.path}:${line}`);
    });
  }

  it('reads an array behind a byte order mark', () => {
    expect(values(opened('\ufeff[{"a":1}]'))).to.deep.equal([{ a: 1 }]);
  });

  for (const [text, expected] of [
    ['[{"a":1} {"a":2}]', 'data.json:1  expected a comma or the end of the array, found "{"'],
    ['[{"a":1},]', 'data.json:1  expected an object, found "]"'],
    ['[\n1]', 'data.json:2  expected an object or the end of the array, found "1"'],
    ['[{"a":1}', 'data.json:1  expected a comma or the end of the array, found the end of the file'],
    ['[{},\n{"a":"\n', 'data.json:3  expected the end of the object of line 2, found the end of the file'],
    ['[{}]\n{}', 'data.json:2  expected nothing after the array, found "{"'],
    ['[]', 'data.json  expected at least one record, found none'],
    ['', 'data.json  expected at least one record, found none'],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(faultOf(() => opened(text))).to.include(expected);
    });
  }

  it('refuses bytes that are not UTF-8', () => {
    const path = join(folderOf({ 'data.jsonl': '' }), 'data.jsonl');
    writeFileSync(path, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]));
    const file = RecordFile.open(path, HINT);
    expect(faultOf(() => file.record(0))).to.include(`${path}:1  expected UTF-8 text`);
  });

  it('says where a file that is not there comes from', () => {
    const folder = folderOf({});
    for (const path of [folder, join(folder, 'none')]) {
      expect(faultOf(() => RecordFile.open(path, HINT)))
        .to.include(`${path}  cannot read the file`)
        .and.include(HINT);
    }
  });

  it('says which samples there are where one is asked for that is not there', () => {
    const file = opened('{"a":1}\n{"a":2}\n');
    expect(faultOf(() => file.record(2)))
      .to.include('expected at least 3 samples, found 2')
      .and.include('samples: 2');
  });

  it('notices a file that has become shorter', () => {
    const file = opened('{"a":1}\n{"a":2}\n');
    truncateSync(file.path, 10);
    expect(faultOf(() => file.record(1))).to.include(`${file.path}:2  the file has become shorter`);
  });
});

describe('checkRecord', () => {
  const schema = z.object({ a: z.object({ b: z.string() }), c: z.int() });

  it('gives the fields of the schema', () => {
    expect(checkRecord(schema, { value: { a: { b: 'x' }, c: 1, d: 2 }, place: 'f:1' })).to.deep.equal({
      a: { b: 'x' },
      c: 1,
    });
  });

  it('names every field that is wrong, with file and line', () => {
    const fault = faultOf(() => checkRecord(schema, { value: { a: { b: 3 } }, place: 'f:7' }));
    expect(fault).to.match(/^f:7 {2}a\.b: .*string.*; c: /);
  });
});
