/** The worked examples of docs/adding-a-method.md: what the page prints is what is run here. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { methods } from '../../src/methods/built-in.js';
import type { Method } from '../../src/methods/types.js';
import { describeMethod } from '../methods/properties.js';
import { exampleEntries } from './entries.js';
import { keyMagnitude } from './key-magnitude.js';
import { vatp } from './vatp.js';

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** The page's TypeScript, block by block. */
const blocks = [...textOf('../../docs/adding-a-method.md').matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, block]) => block!,
);

describe('docs/adding-a-method.md', () => {
  for (const file of ['vatp', 'key-magnitude']) {
    it(`prints ${file}.ts, as it would stand in src/methods`, () => {
      const source = textOf(`./${file}.ts`)
        .replaceAll("'../../src/methods/", "'./")
        .replaceAll("'../../src/", "'../");
      expect(blocks).to.include(source);
    });
  }

  it('prints their entries of the shared list', () => {
    const entries = textOf('./entries.ts').replaceAll(/^ {2}/gm, '');
    for (const name of ['vatp', 'key_magnitude']) {
      const block = blocks.find((text) => text.includes(`method: '${name}'`));
      expect(entries).to.include(block);
    }
  });

  it('names files and commands that exist', () => {
    const page = textOf('../../docs/adding-a-method.md');
    const { scripts } = JSON.parse(textOf('../../package.json')) as { scripts: Record<string, string> };
    for (const [, path] of page.matchAll(/`((?:src|test)\/[\w/-]+\.ts)`/g)) {
      if (!/\/(vatp|key-magnitude)(\.test)?\.ts$/.test(path!))
        expect(() => textOf(`../../${path!}`)).to.not.throw();
    }
    for (const [, script] of page.matchAll(/npm run ([\w:]+)/g)) expect(scripts).to.have.property(script!);
  });

  const registry = new Map([
    ...methods,
    ...[vatp, keyMagnitude].map((method): [string, Method] => [method.name, method as Method]),
  ]);
  for (const entry of exampleEntries) describeMethod(entry, registry);
});
