/** Runs inside pages: sound ones pass, and no damaged length reaches the decoder. */
import { expect } from 'chai';
import type { PageHeader, SchemaElement } from 'hyparquet';
import { getSchemaPath } from 'hyparquet/src/schema.js';
import { checkRuns } from '../../../src/tasks/files/parquet-runs.js';

const SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 1 },
  { name: 'x', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
];
const PATH = getSchemaPath(SCHEMA, ['x']);
const CHUNK = { codec: 'UNCOMPRESSED', type: 'BYTE_ARRAY' } as const;
/** A run of 2³¹ − 1 times the same. */
const ENDLESS = [0xfe, 0xff, 0xff, 0xff, 0x0f, 1];

/** Three values whose levels, and then indices, are these runs. */
function second(levels: readonly number[], indices: readonly number[], is_compressed = false): () => void {
  const bytes = Uint8Array.of(...levels, ...indices);
  const page: PageHeader = {
    type: 'DATA_PAGE_V2',
    compressed_page_size: bytes.length,
    uncompressed_page_size: bytes.length,
    data_page_header_v2: {
      num_values: 3,
      num_nulls: 0,
      num_rows: 3,
      encoding: 'RLE_DICTIONARY',
      definition_levels_byte_length: levels.length,
      repetition_levels_byte_length: 0,
      is_compressed,
    },
  };
  return () => {
    checkRuns(bytes, page, CHUNK, PATH);
  };
}

function first(levels: readonly number[], indices: readonly number[]): () => void {
  const bytes = Uint8Array.of(levels.length, 0, 0, 0, ...levels, ...indices);
  const page: PageHeader = {
    type: 'DATA_PAGE',
    compressed_page_size: bytes.length,
    uncompressed_page_size: bytes.length,
    data_page_header: {
      num_values: 3,
      encoding: 'PLAIN_DICTIONARY',
      definition_level_encoding: 'RLE',
      repetition_level_encoding: 'RLE',
    },
  };
  return () => {
    checkRuns(bytes, page, CHUNK, PATH);
  };
}

for (const [name, page] of Object.entries({ first, second })) {
  describe(`runs in a page of the ${name} version`, () => {
    const levels = [6, 1]; // three times 1
    const indices = [2, 6, 1]; // of two bits, three times 1

    it('may be of one value, or of bits in eights', () => {
      expect(page(levels, indices)).not.to.throw();
      expect(page([3, 0b111], [2, 3, 0b00_01_00, 0])).not.to.throw();
      expect(page([2, 1, 4, 1], indices)).not.to.throw();
      expect(page(levels, [0]), 'indices of no bits').not.to.throw();
    });

    it('are no longer than the page has values', () => {
      expect(page(ENDLESS, indices)).to.throw(RangeError, 'a run of 2147483647 where 3 values are left');
      expect(page(levels, [2, ...ENDLESS])).to.throw(RangeError, 'a run of 2147483647');
      expect(page([5, 0b111], indices), 'sixteen bits').to.throw(RangeError, 'a run of 16');
      expect(page([0xff, 0xff, 0xff, 0xff, 0x0f], indices)).to.throw(RangeError, 'a run of');
    });

    it('are no shorter', () => {
      expect(page([4, 1], indices)).to.throw(RangeError);
      expect(page(levels, [2, 4, 1])).to.throw(RangeError, 'end 1 too early');
    });

    it('have indices of at most 32 bits', () => {
      expect(page(levels, [33, 6, 1])).to.throw(RangeError, 'indices of 33 bits');
    });
  });
}

describe('a page', () => {
  it('holds the levels that it says it has', () => {
    const [levels, indices] = [
      [6, 1],
      [2, 6, 1],
    ];
    const bytes = Uint8Array.of(...levels, ...indices);
    const header = {
      num_values: 3,
      num_nulls: 0,
      num_rows: 3,
      encoding: 'RLE_DICTIONARY' as const,
      definition_levels_byte_length: 60,
      repetition_levels_byte_length: 0,
    };
    expect(() => {
      checkRuns(
        bytes,
        {
          type: 'DATA_PAGE_V2',
          compressed_page_size: 5,
          uncompressed_page_size: 5,
          data_page_header_v2: header,
        },
        CHUNK,
        PATH,
      );
    }).to.throw(RangeError, 'do not lie in their page');
  });
});
