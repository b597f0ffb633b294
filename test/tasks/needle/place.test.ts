import { join } from 'node:path';
import { expect } from 'chai';
import { passage, spreadDepths } from '../../../src/tasks/needle/place.js';
import { DataFiles } from '../../../src/tasks/files/data-files.js';
import { folderOf, removeFolders } from '../loader-support.js';

describe('spreadDepths', () => {
  it('begins at the depth and spaces the rest evenly before the end', () => {
    expect(spreadDepths(40, 1)).to.deep.equal([40]);
    expect(spreadDepths(40, 3)).to.deep.equal([40, 60, 80]);
    expect(spreadDepths(100, 2)).to.deep.equal([100, 100]);
  });
});

describe('passage', () => {
  after(removeFolders);

  it('begins behind the skipped words, at the beginning of a sentence', () => {
    const path = join(folderOf({ 'essay.txt': 'One two. Three four five. Six. Seven eight.' }), 'essay.txt');
    const files = new DataFiles();
    expect(passage(files, path, 0, 4).map(({ text }) => text)).to.deep.equal(['One two.', 'Three four']);
    expect(passage(files, path, 2, 4).map(({ text }) => text)).to.deep.equal(['Three four five.', 'Six.']);
    expect(passage(files, path, 3, 4).map(({ text }) => text)).to.deep.equal(['Six.', 'Seven']);
    expect(passage(files, path, 6, 4).map(({ text }) => text)).to.deep.equal(['Seven eight.', 'One two.']);
  });
});
