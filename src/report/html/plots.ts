/**
 * Plots in the page: the pictures of `spark-eval plot`, with a switch for every series and a reading of every mark.
 *
 * Pictures are drawn ahead, so that the page needs no drawing library; `assets/report/plots.js` brings them to life.
 */
import { renderSvg } from '../plots/render.js';
import type { Plot } from '../plots/types.js';
import { Html, jsonInScript, markup } from './markup.js';

export async function plotsHtml(plots: readonly Plot[]): Promise<Html> {
  const figures: Html[] = [];
  // One after the other: the drawing library counts its identifiers in one place.
  for (const [index, plot] of plots.entries()) figures.push(figure(plot, index, await renderSvg(plot)));
  return markup`<section id="plots" aria-labelledby="plots-title">
    <h2 id="plots-title">Plots</h2>
    ${
      plots.length === 0
        ? markup`<p>Nothing can be plotted: no pipeline is complete.</p>`
        : markup`<p class="tools">
            <label>Plot
              <select id="plot-choice">
                ${plots.map(({ title }, i) => markup`<option value="${i}">${title}</option>`)}
              </select></label>
          </p>`
    }
    ${figures}
    <div id="plot-reading" role="status"></div>
  </section> `;
}

function figure({ title, notes, series }: Plot, index: number, svg: string): Html {
  const names = [...new Set(series.values())];
  return markup`<figure class="plot" id="plot-${index}" aria-label="${title}">
    <div class="scroll">${new Html(withPrefix(svg, `plot-${index}-`))}</div>
    <figcaption>${[title, ...notes].join('. ')}</figcaption>
    ${
      names.length < 2
        ? undefined
        : markup`<fieldset>
            <legend>Shown</legend>
            ${names.map((name) => markup`<label><input type="checkbox" checked value="${name}" /> ${name}</label> `)}
          </fieldset>`
    }
    <script type="application/json">
      ${jsonInScript(Object.fromEntries(series))}
    </script>
  </figure> `;
}

/** Identifiers of several pictures in one page must differ. */
function withPrefix(svg: string, prefix: string): string {
  return svg.replace(/ id="/g, ` id="${prefix}`).replace(/url\(#/g, `url(#${prefix}`);
}
