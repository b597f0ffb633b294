/**
 * The head of the report: what was run, on what, and what is missing.
 *
 * A reader should first see what was run, on what, and what is missing.
 */
import type { CellResult } from '../../results/cell-results.js';
import { gapsOf } from '../gaps.js';
import type { ReadFolder, ReadResults } from '../read-results.js';
import { type Html, markup } from './markup.js';

export function summaryHtml(read: ReadResults): Html {
  const gaps = gapsOf(read);
  const { results, folders } = read;
  const records = results.reduce((sum, result) => sum + result.records.length, 0);
  const distinct = (of: (result: CellResult) => string | number): string =>
    [...new Set(results.map(of))].join(', ');
  const facts: [string, string][] = [
    ['Models', distinct(({ cell }) => cell.model)],
    ['Tasks', distinct(({ cell }) => cell.task)],
    ['Contexts', distinct(({ cell }) => cell.context)],
    ['Pipelines', String(new Set(results.map(({ cell }) => cell.pipeline)).size)],
    ['Cells', String(results.length)],
    ['Samples', String(records)],
    ['Engines', [...new Set(folders.map(engineOf))].join(', ')],
  ];
  return markup`<section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title">Summary</h2>
    <dl>
      ${facts.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    ${
      gaps.length === 0
        ? markup`<p>All samples are there.</p>`
        : markup`<div class="gaps" role="note" aria-label="What is missing">
            <h3>What is missing or mixed</h3>
            <ul>
              ${gaps.map((gap) => markup`<li>${gap}</li>`)}
            </ul>
          </div>`
    }
  </section> `;
}

function engineOf({ manifest: { engine } }: ReadFolder): string {
  return `${engine.name} (${engine.threads} thread${engine.threads === 1 ? '' : 's'})`;
}
