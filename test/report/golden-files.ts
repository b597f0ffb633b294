/** Files that outputs are compared with byte for byte; `UPDATE_GOLDEN=1` writes them anew. */
import { expect } from 'chai';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const FIXTURES = fileURLToPath(new URL('../fixtures/results/', import.meta.url));

/** A result folder, by a path that is the same wherever the checkout lies. */
export function resultFolder(name: string): string {
  return relative(process.cwd(), join(FIXTURES, name));
}

export function expectGolden(name: string, text: string): void {
  const path = join(FIXTURES, 'expected', name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  // Not by deep equality: a difference of two pages is no message.
  const same = readFileSync(path, 'utf8') === text;
  expect(same, `${path} is what comes out (UPDATE_GOLDEN=1 writes it anew)`).to.equal(true);
}
