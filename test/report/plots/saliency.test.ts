import { expect } from 'chai';
import { renderSvg } from '../../../src/report/plots/render.js';
import { saliencyPlot } from '../../../src/report/plots/saliency.js';
import { expectGolden } from '../golden-files.js';

describe('report/plots/saliency', () => {
  it('gives the golden bytes', async () => {
    const plot = saliencyPlot({
      model: 'spark-nano',
      task: 'ruler/niah_single_1',
      context: 512,
      seed: 42,
      sample: 0,
      layer: 1,
      head: 0,
      promptTokens: 40,
      positions: [0, 13, 26, 39],
      saliency: [
        [1, 2, 3, 4],
        [0, 0, 0, 0],
        [4, 3, 2, 1],
        [0.5, 0.25, 0.125, 0.125],
      ],
      ratio: 0.5,
      keptShare: [0.5, 0.25, 0.75, 0.5],
      variation: 1.234,
    });
    expect(plot.notes[1]).to.contain('1.23');
    expectGolden(`${plot.name}.svg`, await renderSvg(plot));
  });
});
