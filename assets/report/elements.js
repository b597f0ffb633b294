/* global document */
// Elements of the page: found, and made. Everything is set as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes, content = []) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (typeof content === 'string') node.textContent = content;
  else node.append(...content);
  return node;
}

/** A cell with the number behind its text, which sorting goes by. */
export function valued(value, text, extra = '') {
  return element('td', { class: `right${extra}`, 'data-value': String(value) }, text);
}

/** A share as a percentage; a dash where there is none. */
export function percent(score) {
  return score === null ? '–' : (100 * score).toFixed(1);
}
