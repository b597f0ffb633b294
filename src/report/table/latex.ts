/**
 * Tables as LaTeX.
 *
 * A table that is too wide is made smaller, one that is too long is continued between its sections; for documents that
 * load `graphicx`.
 */
import type { Table, TableCell, TableSection } from './model.js';

/** Rows of one page, beside caption and notes. */
const PAGE_ROWS = 56;

export function latexTable(table: Table): string {
  const pages = pagesOf(table.sections);
  return pages
    .map((sections, index) =>
      latexPage({
        ...table,
        sections,
        title: pages.length === 1 ? table.title : `${table.title} (${index + 1} of ${pages.length})`,
        notes: index === pages.length - 1 ? table.notes : [],
      }),
    )
    .join('\n\n');
}

/** Sections that go together onto a page. */
function pagesOf(sections: readonly TableSection[]): TableSection[][] {
  const pages: TableSection[][] = [];
  let room = 0;
  for (const section of sections) {
    if (section.rows.length > room) {
      pages.push([]);
      room = PAGE_ROWS;
    }
    pages.at(-1)!.push(section);
    room -= section.rows.length;
  }
  return pages.length === 0 ? [[]] : pages;
}

function latexPage({ title, header, align, sections, notes }: Table): string {
  const columns = header.map((_, c) => (align[c] === 'right' ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;
  return [
    '% \\usepackage{graphicx}',
    '\\begin{table*}',
    '\\centering',
    `\\caption{${escapeLatex(title)}}`,
    '\\scriptsize',
    '\\setlength{\\tabcolsep}{2pt}',
    '\\resizebox{\\ifdim\\width>\\textwidth\\textwidth\\else\\width\\fi}{!}{%',
    `\\begin{tabular}{${columns}}`,
    '\\hline',
    line(header.map(escapeLatex)),
    ...sections.flatMap((section) => [
      '\\hline',
      ...(section.title === ''
        ? []
        : [`\\multicolumn{${header.length}}{l}{\\textbf{${escapeLatex(section.title)}}} \\\\`]),
      ...section.rows.map((row) => line(header.map((_, c) => cellText(row[c])))),
    ]),
    '\\hline',
    '\\end{tabular}}',
    ...notes.map(
      ({ mark, text }) =>
        `\n\\raggedright ${mark === undefined ? '' : `$^{${escapeLatex(mark)}}$ `}${escapeLatex(text)}`,
    ),
    '\\end{table*}',
  ].join('\n');
}

function cellText(cell: TableCell | undefined): string {
  if (cell === undefined) return '';
  const marks = cell.marks ?? [];
  return `${escapeLatex(cell.text)}${marks.length === 0 ? '' : `$^{${escapeLatex(marks.join(','))}}$`}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  // At the start of a row these would be arguments of the line break before it.
  '*': '{*}',
  '[': '{[}',
  ']': '{]}',
  '–': '--',
  '−': '$-$',
  '±': '$\\pm$',
  '·': '$\\cdot$',
  '×': '$\\times$',
  λ: '$\\lambda$',
  Δ: '$\\Delta$',
  α: '$\\alpha$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '…': '\\dots{}',
};

/** Any text as LaTeX that prints it. */
export function escapeLatex(text: string): string {
  return Array.from(text.replace(/\s+/g, ' '))
    .map((sign) => {
      if (/[&%$#_{}]/.test(sign)) return `\\${sign}`;
      return ESCAPES[sign] ?? (/^[ -~À-ÏÑ-ÖØ-Ýß-ïñ-öø-ýÿ]$/.test(sign) ? sign : '?');
    })
    .join('');
}
