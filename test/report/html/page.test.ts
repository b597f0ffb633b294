import { expect } from 'chai';
import { gunzipSync, strFromU8 } from 'fflate';
import { reportPage } from '../../../src/report/html/page.js';
import { packSamples, promptKey } from '../../../src/report/html/sample-data.js';
import { readResults } from '../../../src/report/read-results.js';
import { expectGolden, resultFolder } from '../golden-files.js';

describe('report/html/page', () => {
  let page: string;
  before(async () => {
    page = await reportPage(readResults([resultFolder('sweep')]));
  });

  it('gives the golden bytes, and the same again', async () => {
    expectGolden('sweep.html', page);
    expect((await reportPage(readResults([resultFolder('sweep')]))) === page).to.equal(true);
  });

  it('is alone: no address of anything else, and a policy that fetches nothing', () => {
    expect(page).to.contain('default-src &#39;none&#39;');
    const namespaces = /http:\/\/www\.w3\.org\/(2000\/svg|1999\/xlink)/g;
    expect(page.replace(namespaces, '')).to.not.match(/https?:|@import|\bsrc=|<link/);
  });

  it('escapes names and answers', () => {
    expect(page).to.contain('<h1>sweep &lt;b&gt;</h1>');
    expect(page).to.not.contain('hacked');
  });

  it('says what is missing', () => {
    expect(page).to.contain('1 of 2 samples: kivi(bits=2) on needle/map(depth=50)');
    expect(page).to.contain('the run has not finished');
  });

  it('packs every record, with prompts where there are any', () => {
    const { results } = readResults([resultFolder('sweep')]);
    const [first] = results;
    const ends = { head: 'a', tail: 'b', left: 9 };
    const packed = packSamples(results, new Map([[promptKey(first!.cell, 1), ends]]));
    const open = (blob: number): unknown =>
      JSON.parse(strFromU8(gunzipSync(Buffer.from(packed.blobs[blob]!, 'base64'))));
    expect(packed.sets).to.have.length(5);
    const samples = packed.sets.flatMap(
      ({ blocks }) => blocks.flatMap(open) as { records: unknown[]; prompt?: unknown }[],
    );
    expect(samples.map(({ prompt }) => prompt).filter((prompt) => prompt !== undefined)).to.deep.equal([
      ends,
    ]);
    const records = samples.flatMap((sample) => sample.records);
    expect(records.filter((record) => record !== null)).to.have.length(12 * 5 + 4 * 2 * 5 - 1);
    expect(records.filter((record) => record === null)).to.have.length(1);
  });
});
