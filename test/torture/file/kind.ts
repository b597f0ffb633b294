/**
 * A kind of untrusted file: what sound ones look like, how they are broken, and who reads them.
 *
 * A case is a folder of files, one or more of which are broken. A case is a folder of files, one or more of which are
 * broken.
 */
import type { Random } from '../../../src/base/random.js';

/** Bytes by path in the case's folder. */
export type Files = Readonly<Record<string, Buffer>>;

/** Breaks one file, which may be large or empty; gives another one back. */
export type Mutation = (bytes: Buffer, random: Random) => Buffer;

export interface Kind {
  readonly name: string;
  /** Sound folders; each can be read. */
  sound(): readonly Files[];
  /** Paths of those files that are broken. Default: all. */
  readonly target?: (path: string) => boolean;
  /** Ways to break a file that know its format, beside those of bytes. */
  readonly mutations: readonly Mutation[];
  /** Makes files fit each other again that would otherwise be refused by a digest alone. */
  readonly mend?: (files: Files) => Files;
  /** Reads everything in `folder` as the program does. */
  read(folder: string): void | Promise<void>;
}
