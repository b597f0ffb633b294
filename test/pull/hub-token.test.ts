import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { findToken, tokenPath } from '../../src/pull/hub-token.js';
import { userError, useTempFolder } from '../model/support.js';

describe("the hub's token", () => {
  const temp = useTempFolder();
  const file = (text: string): string => {
    mkdirSync(temp('hf'), { recursive: true });
    writeFileSync(temp('hf/token'), text);
    return temp('hf');
  };

  it('is that of the variables, then of the file', () => {
    const HF_HOME = file('hf_file\n');
    const all = { HF_TOKEN: ' hf_one ', HUGGING_FACE_HUB_TOKEN: 'hf_two', HF_HOME };
    expect(findToken(all)).to.deep.equal({ value: 'hf_one', origin: 'HF_TOKEN' });
    expect(findToken({ ...all, HF_TOKEN: '' })).to.deep.equal({
      ...{ value: 'hf_two', origin: 'HUGGING_FACE_HUB_TOKEN' },
    });
    expect(findToken({ HF_HOME })).to.deep.equal({ value: 'hf_file', origin: temp('hf/token') });
    expect(findToken({ HF_TOKEN_PATH: temp('hf/token') })?.value).to.equal('hf_file');
    expect(findToken({ HF_HOME: temp('none') })).to.equal(undefined);
    expect(findToken({ HF_HOME: file('\n') })).to.equal(undefined);
  });

  it('lies where the tools of the hub put it', () => {
    expect(tokenPath({})).to.equal(join(homedir(), '.cache/huggingface/token'));
    expect(tokenPath({ XDG_CACHE_HOME: '/c' })).to.equal('/c/huggingface/token');
    expect(tokenPath({ HF_HOME: '~/h' })).to.equal(join(homedir(), 'h/token'));
    expect(tokenPath({ HF_HOME: '/h', HF_TOKEN_PATH: '/t' })).to.equal('/t');
  });

  it('is never part of an error', () => {
    for (const secret of ['hf_a b', 'hf_a\nb', 'hf_ä', `hf_${'x'.repeat(5000)}`]) {
      const error = userError(() => findToken({ HF_TOKEN: secret }));
      expect(error.format()).to.match(/^HF_TOKEN {2}expected a token of the hub/);
      expect(error.format()).not.to.include(secret.slice(3, 6).trim() === '' ? secret : secret.slice(0, 4));
    }
    mkdirSync(temp('folder/token'), { recursive: true });
    expect(userError(() => findToken({ HF_HOME: temp('folder') })).format()).to.match(
      /folder\/token {2}the token of the hub cannot be read: it is a folder/,
    );
  });
});
