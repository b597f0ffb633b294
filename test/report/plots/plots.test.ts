import { expect } from 'chai';
import { plotsOf } from '../../../src/report/plots/index.js';
import { openPngRenderer, renderPng } from '../../../src/report/plots/png.js';
import { renderSvg, standalone } from '../../../src/report/plots/render.js';
import type { Plot } from '../../../src/report/plots/types.js';
import { readResults } from '../../../src/report/read-results.js';
import { collectResults } from '../../../src/results/cell-results.js';
import { cell, full, record, spark } from '../../results/support.js';
import { expectGolden, resultFolder } from '../golden-files.js';

describe('report/plots', () => {
  let plots: Plot[];
  before(() => {
    plots = plotsOf(readResults([resultFolder('sweep')]).results);
  });

  it('draws what the results allow, in order', () => {
    expect(plots.map(({ name }) => name)).to.deep.equal([
      'ratio-spark-nano-1024',
      'ratio-spark-nano-512',
      'bytes-spark-nano-1024',
      'bytes-spark-nano-512',
      'parts-spark-nano-1024',
      'parts-spark-nano-512',
      'needle-needle-map-spark-nano',
    ]);
  });

  it('gives the golden bytes, and the same again', async () => {
    for (const plot of plots) {
      const svg = standalone(await renderSvg(plot));
      expectGolden(`${plot.name}.svg`, svg);
      expect(standalone(await renderSvg(plot)) === svg, plot.name).to.equal(true);
    }
  });

  it('shows no average over fewer samples, and says so', () => {
    const bytes = plots.find(({ name }) => name === 'bytes-spark-nano-512')!;
    expect(bytes.notes).to.include('Not shown: kivi(bits=2), 3 of 4 samples are there.');
    expect([...bytes.series.keys()].join('\n')).to.not.contain('kivi');
    const needle = plots.at(-1)!;
    expect(needle.notes).to.deep.equal(['1 of 20 squares are empty: samples are missing.']);
  });

  it('draws needles of one task that are hidden otherwise on a map of their own', () => {
    const at = (depth: number, needles: number) =>
      cell(full, {
        task: 'needle/map',
        samples: 1,
        taskParams: { depth, needles, haystack: 'essay' },
      });
    const infos = [at(0, 1), at(50, 1), at(50, 3)];
    const drawn = (cells: typeof infos) =>
      plotsOf(
        collectResults(
          cells,
          cells.map((info) => record(info, 0)),
        ),
      ).filter(({ kind }) => kind === 'needle');
    expect(drawn(infos).map(({ name }) => name)).to.deep.equal([
      'needle-needle-map-needles-1-spark-nano',
      'needle-needle-map-needles-3-spark-nano',
    ]);
    expect(drawn(infos)[1]!.title).to.equal('needle/map(needles=3) by depth and length: spark-nano');
    expect(drawn(infos.slice(0, 2)).map(({ name }) => name)).to.deep.equal(['needle-needle-map-spark-nano']);
  });

  it('leaves a square empty where a pipeline has fewer cells than another', () => {
    const at = (pipeline: Parameters<typeof cell>[0], depth: number, seed: number) =>
      cell(pipeline, { task: 'needle/map', samples: 1, taskParams: { depth }, seed });
    const infos = [at(full, 0, 1), at(full, 0, 2), at(full, 50, 1), at(spark, 0, 1)];
    const [map] = plotsOf(
      collectResults(
        infos,
        infos.map((info) => record(info, 0)),
      ),
      ['needle'],
    );
    expect(map!.notes).to.deep.equal(['2 of 4 squares are empty: samples are missing.']);
  });

  it('names pipelines without a ratio, and measures the ratio of a budget', () => {
    const ratio = plots[0]!;
    expect(ratio.notes).to.include('Without a ratio: kivi(bits=2).');
    expect([...new Set(ratio.series.values())]).to.deep.equal(['snapkv', 'spark']);
    expect([...ratio.series.keys()].find((label) => label.startsWith('snapkv(budget=64): ratio'))).to.contain(
      'ratio 0.94',
    );
  });

  it('escapes what stands in results', async () => {
    const hostile = { ...spark, label: '<script>alert(1)</script>"&' };
    const infos = [full, hostile].map((pipeline) => cell(pipeline, { samples: 1 }));
    const results = collectResults(
      infos,
      infos.map((info) => record(info, 0)),
    );
    for (const plot of plotsOf(results)) {
      const svg = await renderSvg(plot);
      expect(svg).to.not.contain('<script');
      expect(svg).to.contain('&lt;script&gt;');
    }
  });

  it('gives names of their own to models that are alike as file names', () => {
    const infos = ['a b', 'a/b'].map((model, seed) => cell(full, { model, seed, samples: 1 }));
    const results = collectResults(
      infos,
      infos.map((info) => record(info, 0)),
    );
    expect(plotsOf(results, ['bytes']).map(({ name }) => name)).to.deep.equal([
      'bytes-a-b-1024',
      'bytes-a-b-1024_2',
    ]);
  });

  it('draws nothing without complete pipelines', () => {
    const infos = [cell(full, { samples: 2 })];
    expect(plotsOf(collectResults(infos, [record(infos[0]!, 0)]))).to.deep.equal([]);
  });

  it('makes PNG with the optional package, and says where it is missing', async () => {
    const seen: unknown[] = [];
    const Resvg = class {
      constructor(...args: unknown[]) {
        seen.push(args[0]);
      }
      render() {
        return { asPng: () => Uint8Array.of(137) };
      }
    };
    const renderer = await openPngRenderer(() => Promise.resolve({ Resvg }));
    expect([...renderPng(renderer, '<svg/>')]).to.deep.equal([137]);
    expect(seen).to.deep.equal(['<svg/>']);
    const missing = await openPngRenderer(() => Promise.reject(new Error('no'))).catch(
      (error: unknown) => error,
    );
    expect(missing).to.include({ name: 'UserError', exitCode: 2 });
    expect((missing as Error).message).to.contain('@resvg/resvg-js');
  });
});
