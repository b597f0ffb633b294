/**
 * One case: a sound folder of which a file is broken, a few times over.
 *
 * The seed and the case's number alone set how often and in which way, so that a case can be made again.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomFor } from '../../../src/base/random.js';
import { BYTE_MUTATIONS } from './bytes.js';
import type { Files, Kind } from './kind.js';

/** Larger files are cut: what is tried here is what they say, not how long they are. */
const LARGEST_FILE = 2 ** 22;

export interface Case {
  readonly files: Files;
  /** Nothing is broken: it must be read. */
  readonly sound: boolean;
}

const soundFolders = new Map<Kind, readonly Files[]>();

/** The first cases of a kind are its sound folders. */
export function makeCase(kind: Kind, seed: number, number: number): Case {
  const folders = soundFolders.get(kind) ?? kind.sound();
  soundFolders.set(kind, folders);
  if (number < folders.length) return { files: folders[number]!, sound: true };
  const random = randomFor('untrusted files', kind.name, seed, number);
  const whole = random.pick(folders);
  const path = random.pick(Object.keys(whole).filter((name) => kind.target?.(name) ?? true));
  let bytes = whole[path]!;
  for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
    const known = kind.mutations.length > 0 && random.below(5) < 3;
    bytes = random
      .pick(known ? kind.mutations : BYTE_MUTATIONS)(bytes, random)
      .subarray(0, LARGEST_FILE);
  }
  const broken = { ...whole, [path]: bytes };
  return {
    files: kind.mend !== undefined && random.below(2) === 0 ? kind.mend(broken) : broken,
    sound: false,
  };
}

export function writeCase({ files }: Case, folder: string): void {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
