/** Folders that appear only when they are finished, and what kills leave of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { putInPlace, removeAbandoned, replaceFolder } from '../../src/base/staging.js';
import { useTempFolder } from '../model/support.js';

const GONE = 999_999_999;

describe('staging', () => {
  const temp = useTempFolder();
  const make = (name: string, content: string): string => {
    mkdirSync(temp(name), { recursive: true });
    writeFileSync(join(temp(name), 'file'), content);
    return temp(name);
  };
  const content = (name: string): string => readFileSync(join(temp(name), 'file'), 'utf8');

  it('replaces a folder as a whole, and clears away what killed processes left', async () => {
    make('made', 'old');
    make(`made.staging-${GONE}-abc`, 'half');
    make(`made.staging-${GONE}-old`, 'older');
    make(`made.staging-${process.ppid}-abc`, 'of somebody who works');
    await replaceFolder(temp('made'), async (staging) => {
      expect(content('made')).to.equal('old');
      await writeFile(join(staging, 'file'), 'new');
    });
    expect(content('made')).to.equal('new');
    expect(readdirSync(temp()).sort()).to.deep.equal(['made', `made.staging-${process.ppid}-abc`]);
  });

  it('leaves everything as it was where the new one cannot be filled', async () => {
    make('made', 'old');
    const failed: unknown = await replaceFolder(temp('made'), () => Promise.reject(new Error('no'))).catch(
      (error: unknown) => error,
    );
    expect((failed as Error).message).to.equal('no');
    expect(content('made')).to.equal('old');
    expect(readdirSync(temp())).to.deep.equal(['made']);
  });

  it('moves what is there aside before it deletes it', async () => {
    make('made', 'old');
    await putInPlace(make('work', 'new'), temp('made'));
    expect(content('made')).to.equal('new');
    await putInPlace(make('work', 'newer'), temp('fresh'));
    expect(content('fresh')).to.equal('newer');
    expect(readdirSync(temp()).sort()).to.deep.equal(['fresh', 'made']);
  });

  it('has nothing to clear away where there is no folder', async () => {
    await removeAbandoned(temp('not/there/made'));
  });
});
