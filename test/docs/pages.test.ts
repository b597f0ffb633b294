/** Every fenced command and spec of README and docs: what can be run here is run, the rest names commands that exist. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { PROGRAM } from '../e2e/support.js';
import { type Block, blocksOf, commandsOf, ROOT } from './blocks.js';

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const helps = new Map<string, string>();

/** What `spark-eval COMMAND --help` prints. */
function help(command: string): string {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const { status, stdout } = spawnSync(process.execPath, [PROGRAM, command, '--help'], { encoding: 'utf8' });
  expect(status, `spark-eval ${command} --help`).to.equal(0);
  helps.set(command, stdout);
  return stdout;
}

/** Fails where a command line names a command, an option or a script that does not exist. */
function expectExists(line: string): void {
  for (const command of line.split(/\s*(?:&&|\|)\s*/)) {
    const words = command.split(/\s+/);
    const script = words[0] === 'npm' ? (words[1] === 'run' ? words[2]! : words[1]!) : undefined;
    if (script !== undefined && !['ci', 'install', 'pack'].includes(script)) {
      expect(scripts, line).to.have.property(script);
    }
    const at = words.indexOf('spark-eval');
    if (at < 0 || words[0] === 'npm') continue;
    const text = help(words[at + 1]!);
    const own = words.slice(at + 2);
    const end = own.includes('--') ? own.indexOf('--') : own.length;
    for (const option of own.slice(0, end).filter((word) => word.startsWith('--'))) {
      expect(text, line).to.match(new RegExp(`${option.replace(/=.*/, '')}\\b`));
    }
  }
}

describe('README and docs', function () {
  this.timeout(300_000);
  let folder: string;
  let env: NodeJS.ProcessEnv;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spark-eval-docs-'));
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'spark-eval'), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`);
    chmodSync(join(bin, 'spark-eval'), 0o755);
    env = { ...process.env, NO_COLOR: '1', PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function run(line: string, cwd: string): string {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { encoding: 'utf8', cwd, env });
    expect(status, `${line}\n${stderr}`).to.equal(0);
    return stdout;
  }

  /** Checks a block; gives what it printed where it was run. */
  function check(block: Block, cwd: string, printed: string): string {
    const { language, words, text } = block;
    if (language === 'yaml') {
      const fields: unknown = parse(text);
      expect(fields).to.be.an(Array.isArray(fields) ? 'array' : 'object');
    }
    const name = /^(?:#|\/\/) (\S+\.(?:yaml|ts|jsonl))\n/.exec(text)?.[1];
    if (name !== undefined) writeFileSync(join(cwd, name), text);
    if (words.includes('spec')) run(`spark-eval plan ${name!}`, cwd);
    if (words.includes('output')) expect(printed.trim()).to.equal(text.trim());
    if (language !== 'sh') return printed;
    const lines = commandsOf(text);
    for (const line of lines) expectExists(line);
    return words.includes('parse') ? '' : lines.map((line) => run(line, cwd)).join('');
  }

  for (const page of PAGES) {
    it(`${page}: commands and specs hold`, () => {
      const cwd = mkdtempSync(join(folder, 'page-'));
      let printed = '';
      for (const block of blocksOf(page)) {
        try {
          printed = check(block, cwd, printed);
        } catch (error) {
          if (error instanceof Error) error.message = `${page}:${block.line}: ${error.message}`;
          throw error;
        }
      }
    });

    it(`${page}: links lead somewhere`, () => {
      const text = readFileSync(join(ROOT, page), 'utf8').replaceAll(/^```.*?^```$/gms, '');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
        const path = join(ROOT, page, '..', target!);
        expect(() => readdirSync(path.replace(/\/?[^/]*$/, '/')), target).to.not.throw();
        expect(readdirSync(join(path, '..')), `${page}: ${target!}`).to.include(
          path.replace(/\/$/, '').split('/').at(-1),
        );
      }
    });
  }

  it('README.md is an entrance: at most 120 lines, no sentence over thirty words', () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(text.trimEnd().split('\n').length).to.be.at.most(120);
    const prose = text
      .replaceAll(/^```.*?^```$/gms, '')
      .replaceAll(/^[|#!].*$/gm, '')
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const sentences = prose
      .split(/\n\s*\n|^\s*(?:-|\d+\.) /m)
      .flatMap((part) => part.split(/(?<=[.:?!])\s+/));
    for (const sentence of sentences) {
      expect(sentence.split(/\s+/).filter(Boolean).length, sentence).to.be.at.most(30);
    }
  });
});
