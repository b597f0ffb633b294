/* global document, DecompressionStream, Blob, Response, atob */
// Samples: a list of one task's samples, a page at a time, and a view of one of them under all pipelines.
// Everything is set as text, never as markup; blocks of data are unpacked when they are first looked at.

const PAGE = 50;
const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'];

const byId = (id) => document.getElementById(id);
const index = JSON.parse(byId('sample-index').textContent);
const [setChoice, filter, order] = ['sample-set', 'sample-filter', 'sample-order'].map(byId);
const view = byId('sample-view');
const unpacked = new Map();
/** Where a row of the overview is: [sample, prompt tokens, expected, scores], and its place in the blocks. */
let state = { set: undefined, rows: [], shown: [], first: 0 };

setChoice.addEventListener('change', openSet);
filter.addEventListener('change', list);
order.addEventListener('change', list);
byId('sample-before').addEventListener('click', () => turn(-PAGE));
byId('sample-after').addEventListener('click', () => turn(PAGE));
byId('sample-list').addEventListener('click', (event) => {
  const button = event.target.closest('button[data-row]');
  if (button !== null) void openSample(Number(button.dataset.row));
});
if (index.sets.length > 0) void openSet();

async function openSet() {
  const set = index.sets[Number(setChoice.value)];
  closeView();
  const overview = await unpack(set.overview);
  const full = set.pipelines.indexOf('full');
  const rows = overview.map(([sample, tokens, expected, scores], place) => {
    const others = scores.filter((score, p) => p !== full && score !== null);
    const mean = others.length === 0 ? null : others.reduce((a, b) => a + b, 0) / others.length;
    return { sample, tokens, expected, scores, place, full: scores[full] ?? null, mean };
  });
  state = { set, rows, shown: rows, first: 0 };
  const options = set.pipelines
    .map((name, p) => [`below:${p}`, `${name} below full`])
    .filter((_, p) => p !== full);
  filter.replaceChildren(
    ...[['all', 'all samples'], ['differs', 'any pipeline differs from full'], ...options].map(
      ([value, text]) => element('option', { value }, text),
    ),
  );
  list();
}

function list() {
  const { rows } = state;
  const [kind, pipeline] = filter.value.split(':');
  const keep = {
    all: () => true,
    differs: ({ scores, full }) => full !== null && scores.some((score) => score !== null && score !== full),
    below: ({ scores, full }) => full !== null && scores[pipeline] !== null && scores[pipeline] < full,
  }[kind];
  const lost = ({ full, mean }) => (full === null || mean === null ? -Infinity : full - mean);
  const compare = {
    number: (a, b) => a.sample - b.sample,
    lost: (a, b) => lost(b) - lost(a) || a.sample - b.sample,
    score: (a, b) => (a.mean ?? 2) - (b.mean ?? 2) || a.sample - b.sample,
  }[order.value];
  state.shown = rows.filter(keep).sort(compare);
  state.first = 0;
  closeView();
  page();
}

function turn(by) {
  state.first += by;
  page();
}

/** Fifty rows of the list. */
function page() {
  const { shown, first, rows } = state;
  const some = shown.slice(first, first + PAGE);
  byId('sample-list').tBodies[0].replaceChildren(
    ...some.map((row, i) =>
      element('tr', {}, [
        element('th', { scope: 'row' }, [
          element('button', { type: 'button', 'data-row': String(first + i) }, `Open ${row.sample}`),
        ]),
        element('td', { class: 'right' }, String(row.tokens)),
        element('td', {}, row.expected),
        element('td', { class: 'right' }, percent(row.full)),
        element('td', { class: 'right' }, percent(row.mean)),
        element(
          'td',
          { class: 'right' },
          row.full === null
            ? '–'
            : String(row.scores.filter((score) => score !== null && score < row.full).length),
        ),
      ]),
    ),
  );
  byId('sample-before').disabled = first === 0;
  byId('sample-after').disabled = first + PAGE >= shown.length;
  const range = shown.length === 0 ? 'none' : `${first + 1} to ${first + some.length}`;
  byId('sample-count').textContent = `${range} of ${shown.length} (${rows.length} samples in all)`;
}

async function openSample(at) {
  const { set, shown } = state;
  const { place } = shown[at];
  const block = await unpack(set.blocks[Math.floor(place / index.blockSize)]);
  if (state.set !== set) return;
  const sample = block[place % index.blockSize];
  view.replaceChildren(
    element('h3', {}, `Sample ${sample.sample}`),
    element('p', { class: 'tools' }, [
      step('Previous sample', at - 1),
      step('Next sample', at + 1),
      closeButton(at),
    ]),
    element(
      'p',
      {},
      `${sample.promptTokens} prompt tokens${sample.truncated ? ', cut to the model’s limit' : ''}. Expected:`,
    ),
    element(
      'ul',
      {},
      sample.answers.map((answer) => element('li', {}, [element('pre', {}, answer)])),
    ),
    ...promptEnds(sample.prompt),
    element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Answers' }, [
      answers(set, sample),
    ]),
  );
  view.hidden = false;
  view.focus();
}

function step(text, at) {
  const button = element('button', { type: 'button' }, text);
  button.disabled = at < 0 || at >= state.shown.length;
  button.addEventListener('click', () => void openSample(at));
  return button;
}

function closeButton(at) {
  const button = element('button', { type: 'button' }, 'Close');
  button.addEventListener('click', () => {
    closeView();
    document.querySelector(`#sample-list button[data-row="${at}"]`)?.focus();
  });
  return button;
}

function closeView() {
  view.hidden = true;
  view.replaceChildren();
}

function promptEnds(prompt) {
  if (prompt === undefined) return [];
  const middle = prompt.left > 0 ? `\n\n[… ${prompt.left} characters …]\n\n` : '';
  return [
    element('details', {}, [
      element('summary', {}, 'Prompt'),
      element('pre', {}, `${prompt.head}${middle}${prompt.tail}`),
    ]),
  ];
}

/** A row per pipeline, with headers that sort. */
function answers(set, { records, fullBytes }) {
  const columns = [
    'pipeline',
    'score',
    'answer',
    'new tokens',
    'kept tokens',
    'stored %',
    'what was kept where',
  ];
  const head = columns.map((name, c) =>
    element('th', { scope: 'col', 'aria-sort': 'none', class: [1, 3, 4, 5].includes(c) ? 'right' : '' }, [
      element('button', { type: 'button' }, name),
    ]),
  );
  const full = records[set.pipelines.indexOf('full')]?.[0];
  const rows = set.pipelines.map((pipeline, p) => {
    const name = element('th', { scope: 'row' }, pipeline);
    const record = records[p];
    if (record === null) return element('tr', {}, [name, element('td', { colspan: '6' }, 'no result')]);
    const [score, prediction, generated, kept, parts, perHead] = record;
    const stored = parts.reduce((a, b) => a + b, 0);
    const share = fullBytes === 0 ? undefined : (100 * stored) / fullBytes;
    const change = full === undefined || score === full ? '' : score < full ? ' bad' : ' good';
    return element('tr', {}, [
      name,
      valued(100 * score, percent(score), change),
      element('td', {}, [element('pre', {}, prediction)]),
      valued(generated, String(generated)),
      valued(kept, kept.toFixed(1)),
      share === undefined ? element('td', {}, '–') : valued(share, share.toFixed(1)),
      element('td', {}, [where(kept, perHead, parts)]),
    ]);
  });
  return element('table', {}, [
    element('caption', {}, 'Answers by pipeline'),
    element('thead', {}, [element('tr', {}, head)]),
    element('tbody', {}, rows),
  ]);
}

/** Bytes by part, and prompt tokens kept by layer and KV head. */
function where(kept, perHead, parts) {
  const bytes = PARTS.map((part, i) => [part, parts[i]]).filter(([, size]) => size > 0);
  const tokens =
    perHead === null
      ? [element('p', {}, `${kept} prompt tokens in every layer and KV head`)]
      : [
          element('table', {}, [
            element('caption', {}, 'Prompt tokens kept'),
            element('thead', {}, [
              element('tr', {}, [
                element('th', { scope: 'col' }, 'layer'),
                ...Array.from({ length: Math.max(0, ...perHead.map((heads) => heads.length)) }, (_, h) =>
                  element('th', { scope: 'col', class: 'right' }, `head ${h}`),
                ),
              ]),
            ]),
            element(
              'tbody',
              {},
              perHead.map((heads, layer) =>
                element('tr', {}, [
                  element('th', { scope: 'row' }, String(layer)),
                  ...heads.map((n) => element('td', { class: 'right' }, String(n))),
                ]),
              ),
            ),
          ]),
        ];
  return element('details', {}, [
    element('summary', {}, perHead === null ? 'the same everywhere' : 'by layer and head'),
    element('p', {}, bytes.map(([part, size]) => `${part} ${size.toLocaleString('en')} B`).join(', ')),
    ...tokens,
  ]);
}

function valued(value, text, extra = '') {
  return element('td', { class: `right${extra}`, 'data-value': String(value) }, text);
}

function percent(score) {
  return score === null ? '–' : (100 * score).toFixed(1);
}

/** A blob of the page as the value that was packed. */
function unpack(blob) {
  let value = unpacked.get(blob);
  if (value === undefined) {
    const bytes = Uint8Array.from(atob(byId(`blob-${blob}`).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    value = new Response(stream).json();
    if (unpacked.size >= 20) unpacked.delete(unpacked.keys().next().value);
    unpacked.set(blob, value);
  }
  return value;
}

function element(name, attributes, content = []) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (typeof content === 'string') node.textContent = content;
  else node.append(...content);
  return node;
}
