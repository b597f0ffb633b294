// One sample under all pipelines: expected answers, both ends of the prompt, and for each pipeline what it answered, kept and
// stored. Knows nothing of the list that it was opened from.
import { element, percent, valued } from './elements.js';

const PARTS = ['value', 'mask', 'sign', 'scale', 'index', 'latent'];
const COLUMNS = [
  'pipeline',
  'score',
  'answer',
  'new tokens',
  'kept tokens',
  'stored %',
  'what was kept where',
];
const NUMBERS = [1, 3, 4, 5];

/** The elements that show a sample. */
export function sampleParts(set, sample) {
  return [
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
  ];
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
  const head = COLUMNS.map((name, c) =>
    element('th', { scope: 'col', 'aria-sort': 'none', class: NUMBERS.includes(c) ? 'right' : '' }, [
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
