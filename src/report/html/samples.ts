/**
 * The viewer of single samples: its controls, and the data that they open.
 *
 * `assets/report/samples.js` and `sample-view.js` fill it when it is used.
 */
import { type Html, jsonInScript, markup } from './markup.js';
import type { PackedSamples } from './sample-data.js';

/** @param prompts whether the ends of the prompts are there */
export function samplesHtml({ blobs, ...index }: PackedSamples, prompts: boolean): Html {
  return markup`<section id="samples" aria-labelledby="samples-title">
    <h2 id="samples-title">Samples</h2>
    <noscript><p>This part needs JavaScript.</p></noscript>
    <p>
      ${
        prompts
          ? 'Both ends of each prompt were made again from the task and agree with the recorded answers.'
          : 'Prompts are not part of the results; spark-eval report --prompts makes their ends again where model and data are at hand.'
      }
    </p>
    <p class="tools">
      <label>Task
        <select id="sample-set">
          ${index.sets.map(({ title }, i) => markup`<option value="${i}">${title}</option>`)}
        </select></label>
      <label>Show
        <select id="sample-filter"></select></label>
      <label>Order
        <select id="sample-order">
          <option value="number">by number</option>
          <option value="lost">largest mean loss first</option>
          <option value="score">lowest mean score first</option>
        </select></label>
      <output id="sample-count"></output>
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="List of samples">
      <table id="sample-list">
        <thead>
          <tr>
            <th scope="col">sample</th>
            <th scope="col" class="right">prompt tokens</th>
            <th scope="col">expected</th>
            <th scope="col" class="right">full</th>
            <th scope="col" class="right">mean of the others</th>
            <th scope="col" class="right">below full</th>
          </tr>
        </thead>
        <tbody></tbody>
      </table>
    </div>
    <p class="tools">
      <button type="button" id="sample-before">Earlier samples</button>
      <button type="button" id="sample-after">Later samples</button>
    </p>
    <div id="sample-view" tabindex="-1" role="region" aria-label="One sample" hidden></div>
    <script type="application/json" id="sample-index">
      ${jsonInScript(index)}
    </script>
    ${blobs.map(
      (blob, i) =>
        markup`<script type="application/octet-stream" id="blob-${i}">
          ${blob}
        </script> `,
    )}
  </section> `;
}
