/**
 * Tables as LaTeX: a `table` environment that needs no package.
 *
 * Decides escapes. Signs that LaTeX's usual fonts lack become a question mark rather than an error of the compiler.
 */
import type { Table, TableCell } from './model.js';

export function latexTable({ title, header, align, sections, notes }: Table): string {
  const columns = header.map((_, c) => (align[c] === 'right' ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]): string => `${cells.join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(title)}}`,
    '\\scriptsize',
    '\\setlength{\\tabcolsep}{2pt}',
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
    '\\end{tabular}',
    ...notes.map(
      ({ mark, text }) =>
        `\n\\raggedright ${mark === undefined ? '' : `$^{${escapeLatex(mark)}}$ `}${escapeLatex(text)}`,
    ),
    '\\end{table}',
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
