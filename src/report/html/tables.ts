/**
 * Tables as HTML that can be read without scripts, and sorted and filtered with them.
 *
 * Real headers and captions come first; scripts only add sorting and filtering.
 */
import type { Table, TableCell } from '../table/model.js';
import { type Html, markup } from './markup.js';

/** A table with its filter and its notes. */
export function tableHtml(table: Table, id: string): Html {
  const rows = table.sections.flatMap((section) => section.rows);
  return markup`<div class="table" id="${id}">
    <p class="tools">
      <label>Filter rows <input type="search" data-filter="${id}" autocomplete="off" /></label>
      <output>${rows.length} rows</output>
    </p>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="${id}-caption">
      <table>
        <caption id="${id}-caption">
          ${table.title}
        </caption>
        <thead>
          <tr>
            ${table.header.map(
              (title, column) =>
                markup`<th scope="col" class="${table.align[column] ?? 'left'}" aria-sort="none">
                  <button type="button">${title}</button>
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              markup`<tr>
                ${row.map((cell, column) => cellHtml(cell, column, table))}
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
    ${
      table.notes.length === 0
        ? undefined
        : markup`<ul class="notes">
            ${table.notes.map(({ mark, text }) => markup`<li>${mark === undefined ? '' : `${mark} `}${text}</li>`)}
          </ul>`
    }
  </div> `;
}

function cellHtml({ text, value, marks = [] }: TableCell, column: number, { align }: Table): Html {
  const shown = marks.length === 0 ? text : [text, markup` <sup>${marks.join(' ')}</sup>`];
  if (column === 0) return markup`<th scope="row">${shown}</th>`;
  const kind = align[column] ?? 'left';
  return value === undefined
    ? markup`<td class="${kind}">${shown}</td>`
    : markup`<td class="${kind}" data-value="${value}">${shown}</td>`;
}
