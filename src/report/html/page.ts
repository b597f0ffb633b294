/**
 * The report: one HTML page that holds all it needs.
 *
 * Its content security policy lets it load nothing and run no script but its own. The same results give the same bytes.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_FOLDER } from '../../base/package.js';
import { plotsOf } from '../plots/index.js';
import type { ReadResults } from '../read-results.js';
import { tablesOf } from '../tables.js';
import { cellsTable } from './cells.js';
import { Html, markup } from './markup.js';
import { plotsHtml } from './plots.js';
import { packSamples, type Prompts } from './sample-data.js';
import { samplesHtml } from './samples.js';
import { summaryHtml } from './summary.js';
import { tableHtml } from './tables.js';

const ASSETS = join(PACKAGE_FOLDER, 'assets', 'report');
/** Modules of the page, each of files that only import those before them. */
const SCRIPTS = [
  ['tables.js'],
  ['plots.js'],
  ['elements.js', 'sample-data.js', 'sample-view.js', 'samples.js'],
] as const;

const SECTIONS = [
  ['summary', 'Summary'],
  ['tables', 'Tables'],
  ['plots', 'Plots'],
  ['samples', 'Samples'],
  ['cells', 'Cells'],
  ['manifest', 'Manifest'],
] as const;

export interface ReportOptions {
  /** Ends of the prompts, where they could be made again. */
  readonly prompts?: Prompts | undefined;
}

/** The page as text. */
export async function reportPage(read: ReadResults, { prompts }: ReportOptions = {}): Promise<string> {
  const names = [...new Set(read.folders.map(({ manifest }) => manifest.name))];
  const title = `${names.join(', ')} · spark-eval`;
  const scripts = SCRIPTS.map((files) => files.map(asset).map(joined).join('\n'));
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy(scripts)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>${new Html(asset('page.css'))}</style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the results</a>
        <header>
          <h1>${names.join(', ')}</h1>
          <nav aria-label="Sections">
            <ul>
              ${SECTIONS.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main id="main">
          ${summaryHtml(read)}
          <section id="tables" aria-labelledby="tables-title">
            <h2 id="tables-title">Tables</h2>
            ${tablesOf(read).map((table, index) => tableHtml(table, `table-${index}`))}
          </section>
          ${await plotsHtml(plotsOf(read.results))}${samplesHtml(packSamples(read.results, prompts), prompts !== undefined)}
          <section id="cells" aria-labelledby="cells-title">
            <h2 id="cells-title">Cells</h2>
            ${tableHtml(cellsTable(read.results), 'all-cells')}
          </section>
          ${manifestHtml(read)}
        </main>
        ${scripts.map(
          (script) =>
            markup`<script type="module">${new Html(script)}</script>
`,
        )}
      </body>
    </html> `;
  return page.text;
}

function manifestHtml({ folders }: ReadResults): Html {
  return markup`<section id="manifest" aria-labelledby="manifest-title">
    <h2 id="manifest-title">Manifest</h2>
    ${folders.map(
      ({ path, manifest: { cells, ...rest } }) =>
        markup`<details>
          <summary>${path}</summary>
          <p>${cells.length} cells are listed in the manifest beside what stands here.</p>
          <pre>${JSON.stringify(rest, undefined, 2)}</pre>
        </details> `,
    )}
  </section> `;
}

function asset(name: string): string {
  return readFileSync(join(ASSETS, name), 'utf8');
}

/** A file as part of one module: modules inside a page cannot import one another. */
function joined(script: string): string {
  return script.replace(/^import [^;]*;\n/gm, '').replace(/^export /gm, '');
}

/** Nothing is fetched; only the scripts of this page run. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
