/**
 * The head of the report: what was run, on what, and what is missing.
 *
 * Decides what counts as a gap. Every gap is said here, however small.
 */
import type { CellResult } from '../../results/cell-results.js';
import type { ReadFolder, ReadResults } from '../read-results.js';
import { type Html, markup } from './markup.js';
import { taskTitle } from './cells.js';

/** Incomplete cells that are named one by one; the others are counted. */
const NAMED = 20;

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

/** What a reader must know before trusting an average; a sentence each. */
export function gapsOf({ folders, results }: ReadResults): string[] {
  const open = results.filter(({ cell, records }) => records.length < cell.samples);
  const engines = [...new Set(folders.map(({ manifest }) => manifest.engine.name))];
  return [
    ...(results.length === 0 ? ['The results have no cells.'] : []),
    ...(engines.length > 1 ? [`The folders are of different engines: ${engines.join(', ')}.`] : []),
    ...folders.flatMap(({ path, manifest, tornBytes }) => [
      ...(manifest.finishedAt === null ? [`${path}: the run has not finished.`] : []),
      ...(tornBytes > 0
        ? [`${path}: a torn last line of the journal is left out (${tornBytes} bytes).`]
        : []),
    ]),
    ...open
      .slice(0, NAMED)
      .map(
        ({ cell, records }) =>
          `${records.length} of ${cell.samples} samples: ${cell.pipeline} on ${taskTitle(cell)}, ${cell.model}, context ${cell.context}, seed ${cell.seed}, question ${cell.question}.`,
      ),
    ...(open.length > NAMED
      ? [`… and ${open.length - NAMED} more cells whose samples are not all there.`]
      : []),
  ];
}

function engineOf({ manifest: { engine } }: ReadFolder): string {
  return `${engine.name} (${engine.threads} thread${engine.threads === 1 ? '' : 's'})`;
}
