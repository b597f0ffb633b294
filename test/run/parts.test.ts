import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { partOf, PARTS, PLACES, testFiles } from './parts.js';

const TEST = new URL('../', import.meta.url);

describe('the parts of the test suite', () => {
  it('have files, each of them, and name none that is gone', () => {
    expect([...new Set(testFiles().map(partOf))]).to.have.members([...PARTS]);
    for (const [place] of PLACES) expect(existsSync(new URL(place, TEST)), place).to.equal(true);
  });

  it('keep what starts the built program, npm, a browser or a Redis out of the unit tests', () => {
    const outside = /from '[^']*(support\/redis|e2e\/support|playwright-core)|spawn\w*\('npm'/;
    const found = testFiles()
      .filter((file) => partOf(file) === 'unit')
      .filter((file) => outside.test(readFileSync(new URL(file, TEST), 'utf8')));
    expect(found).to.deep.equal([]);
  });
});
