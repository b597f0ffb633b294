/* global document */
// Plots: one is shown at a time; marks say what they are when pointed at or focused; series can be hidden.

const figures = [...document.querySelectorAll('figure.plot')];
const reading = document.getElementById('plot-reading');
const choice = document.getElementById('plot-choice');

if (choice !== null) {
  choice.addEventListener('change', () => show(Number(choice.value)));
  show(Number(choice.value));
}

for (const figure of figures) {
  const seriesOf = new Map(Object.entries(JSON.parse(figure.querySelector('script').textContent)));
  const marks = [...figure.querySelectorAll('svg [role="graphics-symbol"][aria-label]')].filter(
    (mark) => mark.closest('.role-legend, .role-axis, .role-title') === null,
  );
  for (const mark of marks) {
    // Lines and intervals are read with their points; a rule of its own (full) is not.
    const joins = ['line mark', 'rule mark'].includes(mark.getAttribute('aria-roledescription'));
    if (!joins || !seriesOf.has(mark.getAttribute('aria-label'))) mark.setAttribute('tabindex', '0');
    for (const kind of ['pointerenter', 'focus']) {
      mark.addEventListener(kind, () => (reading.textContent = mark.getAttribute('aria-label')));
    }
  }
  figure.addEventListener('change', () => {
    const hidden = new Set([...figure.querySelectorAll('input:not(:checked)')].map((input) => input.value));
    for (const mark of marks) {
      mark.style.display = hidden.has(seriesOf.get(mark.getAttribute('aria-label'))) ? 'none' : '';
    }
  });
}

function show(index) {
  figures.forEach((figure, i) => (figure.hidden = i !== index));
  reading.textContent = '';
}
