/**
 * Sizes inside a Parquet file, checked before it is decoded.
 *
 * Every page must lie in its column chunk and have no more values than the chunk says: hyparquet takes these
 * numbers as they are, and one damaged bit can keep it busy for ever.
 */
import type { AsyncBuffer, ColumnMetaData, FileMetaData, PageHeader, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { getSchemaPath } from 'hyparquet/src/schema.js';
import { checkRuns } from './parquet-runs.js';

/** Of one page, uncompressed; writers use about a megabyte. */
const MAX_PAGE_BYTES = 2 ** 30;

/** Throws RangeError where a size of these columns cannot be right. */
export async function checkPages(
  file: AsyncBuffer,
  metadata: FileMetaData,
  columns: readonly string[],
): Promise<void> {
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows !== metadata.num_rows) {
    throw new RangeError(`${metadata.num_rows.toString()} rows, but ${rows.toString()} in row groups`);
  }
  for (const { columns: chunks } of metadata.row_groups) {
    for (const { meta_data } of chunks) {
      if (meta_data !== undefined && columns.includes(meta_data.path_in_schema[0]!))
        await checkChunk(file, meta_data, getSchemaPath(metadata.schema, meta_data.path_in_schema));
    }
  }
}

async function checkChunk(file: AsyncBuffer, chunk: ColumnMetaData, path: SchemaTree[]): Promise<void> {
  // Some writers put 0 where there is no dictionary.
  const start = Number(
    chunk.dictionary_page_offset === undefined || chunk.dictionary_page_offset === 0n
      ? chunk.data_page_offset
      : chunk.dictionary_page_offset,
  );
  const size = Number(chunk.total_compressed_size);
  const name = chunk.path_in_schema.join('.');
  if (!(start >= 4 && size >= 0 && start + size <= file.byteLength)) {
    throw new RangeError(`column ${name}: ${size} bytes from byte ${start} do not lie in the file`);
  }
  const bytes = await file.slice(start, start + size);
  const reader = { view: new DataView(bytes), offset: 0 };
  let left = Number(chunk.num_values);
  while (reader.offset < size) {
    const at = start + reader.offset;
    const page = parquetHeader(reader);
    const values = valuesOf(page);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = page;
    if (
      !(packed >= 0 && packed <= size - reader.offset) ||
      !(unpacked >= 0 && unpacked <= MAX_PAGE_BYTES) ||
      !(values >= 0 && values <= left)
    ) {
      throw new RangeError(`column ${name}: impossible sizes in the page at byte ${at}`);
    }
    if (page.type !== 'DICTIONARY_PAGE') {
      checkRuns(new Uint8Array(bytes, reader.offset, packed), page, chunk, path);
      left -= values;
    }
    reader.offset += packed;
  }
  if (left !== 0) throw new RangeError(`column ${name}: ${left} values are missing`);
}

function valuesOf(page: PageHeader): number {
  const header = page.data_page_header ?? page.data_page_header_v2 ?? page.dictionary_page_header;
  return header?.num_values ?? NaN;
}
