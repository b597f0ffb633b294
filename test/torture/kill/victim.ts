/**
 * What is killed: a command that is run again until it is done.
 *
 * A victim tells enough about itself that `round.ts` can say what a kill cost.
 */

/** Something finished, by name, with its bytes or their digest. */
export type Finished = readonly [name: string, bytes: string];

export interface Victim {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** With which an undisturbed command ends. Default 0. */
  readonly exitCode?: number;
  /** A folder that the command writes to; moments of kills are also counted in changes of it. */
  readonly watched: string;
  /** Back to where nothing was done. */
  readonly reset: () => void | Promise<void>;
  /** What is finished now; nothing of it may ever be lost, changed or there twice. */
  readonly finished: () => Finished[];
  /** What is wrong with what a command that ran to its end left, in words; must be none. */
  readonly faults: () => string[] | Promise<string[]>;
  readonly close: () => void | Promise<void>;
  /** Of one life; any number where it is not given. */
  readonly mostKills?: number;
}

/** How a victim is made in a folder of its own; a string says why it cannot be here. */
export type VictimMaker = (folder: string) => Promise<Victim | string> | Victim | string;
