/**
 * Columns of plain text.
 *
 * Words to the left, numbers to the right.
 */

export type Align = 'left' | 'right';

/** Lines of aligned columns, two spaces apart; missing cells are empty, trailing spaces are cut. */
export function alignColumns(rows: readonly (readonly string[])[], align: readonly Align[] = []): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    widths
      .map((width, column) => {
        const text = row[column] ?? '';
        return align[column] === 'right' ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Width of each column, in characters. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
}
