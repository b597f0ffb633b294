/* global document */
// Samples: a list of one task's samples, a page at a time, from which one is opened.
import { byId, element, percent } from './elements.js';
import { index, unpack } from './sample-data.js';
import { sampleParts } from './sample-view.js';

const PAGE = 50;

const [setChoice, filter, order] = ['sample-set', 'sample-filter', 'sample-order'].map(byId);
const view = byId('sample-view');
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
    ...sampleParts(set, sample),
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
