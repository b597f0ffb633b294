/**
 * Random keys and values: adjective-noun words, 7-digit numbers, version-4 UUIDs.
 *
 * Uniform over what the held-out rule leaves; no string comes twice in a sample, so that every answer occurs in it exactly once.
 */
import { isHeldOut } from '../held-out.js';
import { shippedFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import type { Random } from '../../base/random.js';
import type { ValueKind } from './templates.js';

export type KeyKind = 'words' | 'uuids';

export const WORD_LISTS = ['words/adjectivelist.txt', 'words/nounlist.txt'] as const;

export class Strings {
  private readonly used = new Set<string>();

  /** @param files reads the word lists */
  constructor(
    private readonly random: Random,
    private readonly files: DataFiles,
  ) {}

  key(kind: KeyKind): string {
    return this.fresh(kind === 'words' ? (random) => word(random, this.files) : uuid);
  }

  value(kind: ValueKind): string {
    return this.fresh(kind === 'numbers' ? number : uuid);
  }

  private fresh(draw: (random: Random) => string): string {
    for (;;) {
      const text = draw(this.random);
      if (isHeldOut(text) && !this.used.has(text)) {
        this.used.add(text);
        return text;
      }
    }
  }
}

function number(random: Random): string {
  return String(1_000_000 + random.below(9_000_000));
}

function word(random: Random, files: DataFiles): string {
  const [adjectives, nouns] = wordLists(files);
  return `${random.pick(adjectives)}-${random.pick(nouns)}`;
}

/** 122 random bits, version 4, variant 10. */
function uuid(random: Random): string {
  const bytes = Buffer.alloc(16);
  for (let at = 0; at < 16; at += 4) bytes.writeUInt32BE(random.uint32(), at);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Adjectives and nouns, each sorted and without repetitions. */
export function wordLists(files: DataFiles): [string[], string[]] {
  return files.once('word lists', () => [readWords(files, WORD_LISTS[0]), readWords(files, WORD_LISTS[1])]);
}

function readWords(files: DataFiles, name: string): string[] {
  const words = files
    .text(shippedFile(name))
    .text.split('\n')
    .map((line) => line.trim());
  return [...new Set(words.filter((line) => line !== ''))].sort();
}
