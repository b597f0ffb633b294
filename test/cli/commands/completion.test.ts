import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tell } from '../support.js';

describe('spark-eval completion', () => {
  let script: string;
  let zsh: string;

  before(async () => {
    script = (await tell('completion', 'bash')).out;
    zsh = (await tell('completion', 'zsh')).out;
  });

  /** What bash offers for the last of the words. */
  const offered = (...words: string[]): string[] => {
    const folder = mkdtempSync(join(tmpdir(), 'completion-'));
    const file = join(folder, 'completion.sh');
    writeFileSync(file, script);
    const quoted = ['spark-eval', ...words].map((word) => `'${word}'`).join(' ');
    const run = `source ${file}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _spark_eval; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', run], { encoding: 'utf8', cwd: folder });
    expect(stderr).to.equal('');
    return stdout.trim().split('\n');
  };

  it('offers commands, options, choices and names to bash', function () {
    if (spawnSync('bash', ['--version']).error !== undefined) this.skip();
    expect(offered('st')).to.deep.equal(['status']);
    expect(offered('')).to.include.members(['run', 'plan', 'init', 'completion', '--help']);
    expect(offered('run', '--sa')).to.deep.equal(['--samples']);
    expect(offered('run', 'my.yaml', '--engine', 'w')).to.deep.equal(['wasm']);
    expect(offered('run', '--task', 'ruler/v', 'my.yaml').length).to.equal(1);
    expect(offered('run', 'my.yaml', '--task', 'ruler/v')).to.deep.equal(['ruler/vt']);
    expect(offered('show', 'strea')).to.deep.equal(['streaming_llm']);
    expect(offered('list', 'me')).to.deep.equal(['methods']);
    expect(offered('list', 'tasks', 'need')).to.deep.equal(['needle']);
    expect(offered('pull', 'smollm2-1')).to.include('smollm2-135m');
    expect(offered('run', 'compl')).to.deep.equal(['completion.sh']);
    expect(offered('run', '--set', 'samples=3', 'compl')).to.deep.equal(['completion.sh']);
  });

  it('names every command and option to zsh, in balanced quotes', function () {
    for (const word of [
      '#compdef spark-eval',
      'run:run what is missing',
      '*--task[',
      '(auto gpu',
      'niah_single_1',
    ]) {
      expect(zsh).to.contain(word);
    }
    if (spawnSync('zsh', ['--version']).error !== undefined) this.skip();
    const { status, stderr } = spawnSync('zsh', ['-n'], { input: zsh, encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
  });
});
