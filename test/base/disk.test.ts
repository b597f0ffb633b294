/** Folders made one by one, files replaced as a whole, and the words where the system refuses. */
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { diskError, makeFolders, replaceFile } from '../../src/base/disk.js';
import { userError, useTempFolder } from '../model/support.js';

describe('disk', () => {
  const temp = useTempFolder();
  const refusal = (run: () => void): string => userError(run).format();
  const make = (path: string) => () => {
    makeFolders(path, 'create the folder', 'Go elsewhere.');
  };

  it('makes every folder that is missing, and leaves those that are there', () => {
    make(temp('a/b/c'))();
    make(temp('a/b/c'))();
    make('.')();
    make('/')();
    expect(statSync(temp('a/b/c')).isDirectory()).to.equal(true);
  });

  it('says why a folder cannot be made', () => {
    writeFileSync(temp('file'), '');
    symlinkSync(temp('nowhere'), temp('link'));
    const said = (name: string): string => refusal(make(temp(name))).slice(temp().length + 1);
    expect(said('file')).to.equal(
      'file  cannot create the folder: a file of that name is in the way\n  Go elsewhere.',
    );
    expect(said('file/a/b')).to.contain('file/a/b  cannot create the folder: a part of the path is a file');
    expect(said('link/a')).to.contain('a file of that name is in the way');
    expect(said('x'.repeat(300))).to.contain('the name is too long');
  });

  it('replaces a file, of one piece or several, of text or bytes', () => {
    const path = temp('file');
    for (const content of ['text', ['te', 'xt'], Buffer.from('text')]) {
      writeFileSync(path, 'longer than what follows');
      replaceFile(path, content, 'Go elsewhere.');
      expect(readFileSync(path, 'utf8')).to.equal('text');
    }
    expect(readdirSync(temp())).to.deep.equal(['file']);
  });

  it('leaves nothing beside a file that cannot be replaced', () => {
    mkdirSync(temp('folder'));
    const replace = (): void => {
      replaceFile(temp('folder'), 'text', 'Go elsewhere.');
    };
    expect(refusal(replace)).to.contain(
      'folder  cannot write: a folder of that name is in the way\n  Go elsewhere.',
    );
    expect(readdirSync(temp())).to.deep.equal(['folder']);
  });

  it('puts the errors of the system into words, and no others', () => {
    const of = (code: string): string =>
      refusal(() => {
        throw diskError(Object.assign(new Error('x'), { code }), '/cache', 'keep it', 'Go elsewhere.');
      });
    expect(of('EROFS')).to.equal('/cache  cannot keep it: the file system is read-only\n  Go elsewhere.');
    expect(of('ENOSPC')).to.contain('cannot keep it: the disk is full\n  Free some space');
    expect(of('EWHAT')).to.contain('cannot keep it: EWHAT\n  Run the same command again');
    const other = new Error('x');
    expect(diskError(other, '/cache', 'keep it', 'Go elsewhere.')).to.equal(other);
  });
});
