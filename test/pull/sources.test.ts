import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DataSet } from '../../src/pull/data-sets.js';
import { download } from '../../src/pull/download.js';
import { downloadsOf } from '../../src/pull/sources.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';
import { sha256, startHub, type FakeHub } from './support.js';

describe('a data set of a site', () => {
  const temp = useTempFolder();
  const content = Buffer.from('[{"question": "?"}]');
  let site: FakeHub;
  let dataset: DataSet;
  beforeEach(async () => {
    site = await startHub();
    site.files['dev.json'] = content;
    dataset = {
      ...{ name: 'x', title: 'X', licence: 'MIT', usedBy: ['x'], files: ['dev.json'] },
      source: {
        kind: 'site',
        url: `${site.url}/site/dev.json`,
        bytes: content.length,
        sha256: sha256(content),
      },
    };
  });
  afterEach(() => {
    site.close();
  });
  const fetchAll = async (): Promise<string[]> => {
    const { revision, files } = await downloadsOf(dataset, null);
    expect(revision).to.equal(null);
    for (const [path, file] of files) await download(file, temp(path));
    return [...files.keys()];
  };

  it('is its one file', async () => {
    expect(await fetchAll()).to.deep.equal(['dev.json']);
    expect(readFileSync(temp('dev.json')).equals(content)).to.equal(true);
  });

  it('is refused where it is not the pinned file', async () => {
    const fault = async (): Promise<string> => (await userErrorAsync(fetchAll)).format();
    site.instead['dev.json'] = Buffer.from('[{"question": "!"}]');
    expect(await fault()).to.match(/^dev\.json {2}expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}$/);
    site.instead['dev.json'] = Buffer.from('[]');
    expect(await fault()).to.match(/^dev\.json {2}expected 19 bytes, got 2$/);
  });
});
