/**
 * The fenced blocks of a documentation page.
 *
 * What follows the language says what is checked: nothing (it is run), `parse` (its commands and options exist; it needs a
 * network, another machine or a long time), `spec` (a complete spec), `output` (what the block before prints).
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
  /** 1-based line of the page on which its text begins. */
  readonly line: number;
}

/** All blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  return [...text.matchAll(/^```(\w+)([^\n]*)\n(.*?)^```$/gms)].map(([, language, words, body], at, all) => ({
    language: language!,
    words: words!.trim().split(/\s+/).filter(Boolean),
    text: body!,
    line: text.slice(0, all[at]!.index).split('\n').length + 1,
  }));
}

/** The commands of a shell block: comments and the marks of continued lines taken away. */
export function commandsOf(text: string): string[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
