/* global document */
// Tables: a header's button sorts by its column, a search field filters the rows. Works on every table of the page.

const BY_WORDS = new Intl.Collator('en', { numeric: true });

document.addEventListener('click', (event) => {
  const header = event.target.closest('thead th[aria-sort]');
  if (header !== null && event.target.closest('button') !== null) sortBy(header);
});

document.addEventListener('input', (event) => {
  const { filter } = event.target.dataset;
  if (filter !== undefined) filterRows(document.getElementById(filter), event.target.value);
});

/** Numbers start with the largest, words with the first; rows without a number always come last. */
function sortBy(header) {
  const table = header.closest('table');
  const column = [...header.parentElement.children].indexOf(header);
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const numeric = rows.some((row) => row.cells[column]?.dataset.value !== undefined);
  const before = header.getAttribute('aria-sort');
  const first = numeric ? 'descending' : 'ascending';
  const other = numeric ? 'ascending' : 'descending';
  const order = before === first ? other : first;
  const sign = order === 'ascending' ? 1 : -1;
  const keyOf = numeric
    ? (row) => Number.parseFloat(row.cells[column]?.dataset.value ?? 'NaN')
    : (row) => row.cells[column]?.textContent ?? '';
  const compare = numeric
    ? (a, b) => Number.isNaN(a) - Number.isNaN(b) || sign * (a - b || 0)
    : (a, b) => sign * BY_WORDS.compare(a, b);
  const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
  keyed.sort((a, b) => compare(a.key, b.key));
  body.append(...keyed.map(({ row }) => row));
  for (const one of header.parentElement.children)
    one.setAttribute('aria-sort', one === header ? order : 'none');
}

/** Rows that hold every word that was typed, in any column. */
function filterRows(box, text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...box.querySelector('tbody').rows];
  let shown = 0;
  for (const row of rows) {
    const held = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => held.includes(word));
    if (!row.hidden) shown++;
  }
  box.querySelector('output').textContent =
    shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
}
