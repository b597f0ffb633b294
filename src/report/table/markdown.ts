/**
 * Tables as Markdown (GitHub's form), padded so that they also read as plain text.
 *
 * Names come from specs and files, and must not become markup.
 */
import type { Align } from '../text-table.js';
import type { Table, TableCell } from './model.js';

export function markdownTable({ title, header, align, sections, notes }: Table): string {
  const names = header.map(escape);
  const body = sections.map((section) => ({
    title: section.title === '' ? undefined : `**${escape(section.title)}**`,
    rows: section.rows.map((row) => row.map(cellText)),
  }));
  const all = body.flatMap(({ rows }) => rows);
  const widths = names.map((name, c) => Math.max(3, name.length, ...all.map((row) => (row[c] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, c) => pad(row[c] ?? '', width, align[c])).join(' | ')} |`;
  const rules = widths.map((width, c) =>
    align[c] === 'right' ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  );
  return [
    `### ${escape(title)}`,
    '',
    line(names),
    `| ${rules.join(' | ')} |`,
    ...body.flatMap((section) => [
      ...(section.title === undefined ? [] : [line([section.title])]),
      ...section.rows.map(line),
    ]),
    ...(notes.length === 0 ? [] : ['']),
    ...notes.map(({ mark, text }) => `- ${mark === undefined ? '' : `\\[${mark}\\] `}${escape(text)}`),
  ].join('\n');
}

function cellText({ text, marks = [] }: TableCell): string {
  return `${escape(text)}${marks.map((mark) => ` \\[${mark}\\]`).join('')}`;
}

/** Line breaks and markup characters. */
function escape(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*|[\]]/g, (character) => `\\${character}`)
    .replace(/<(?=[a-z/!?])/gi, '&lt;');
}

function pad(text: string, width: number, align: Align | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
