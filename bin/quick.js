/**
 * The commands that only answer, from code that `npm run build` has compiled ahead (`bundle-quick.js`).
 *
 * Decides which commands those are, and that only the Node that compiled the code runs it: everybody else, and every other
 * command, takes the program in `dist/`, of which this is a part. Knows nothing of what the commands do.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, URL } from 'node:url';
import { Script } from 'node:vm';

export const QUICK_COMMANDS = ['help', 'list', 'show', 'plan', 'status'];

/** Named after what it is valid for. The code, then its script, then the bytes of the code: no half of it can be another's. */
export const QUICK_FILE = fileURLToPath(
  new URL(`../build/quick-${process.version}-${process.platform}-${process.arch}.bin`, import.meta.url),
);
const LENGTH_BYTES = 4;

/** The program for `args`; undefined where it is another command, or nothing is compiled for this Node. */
export function quickProgram(args) {
  const command = args.find((arg) => !arg.startsWith('-')) ?? 'help';
  if (!QUICK_COMMANDS.includes(command)) return undefined;
  let bytes;
  try {
    bytes = readFileSync(QUICK_FILE);
  } catch {
    return undefined;
  }
  const end = bytes.length - LENGTH_BYTES;
  const codeBytes = bytes.readUInt32LE(end);
  return openQuick(bytes.latin1Slice(codeBytes, end), bytes.subarray(0, codeBytes)).program;
}

/** Runs a script that defines the program. Where Node refuses the code (its flags are others), it compiles anew. */
export function openQuick(text, cachedData) {
  const script = new Script(text, { filename: QUICK_FILE, cachedData });
  const module = { exports: {} };
  const define = script.runInThisContext();
  define(module, createRequire(QUICK_FILE), new URL('../dist/cli/main.js', import.meta.url).href);
  return { script, program: module.exports };
}

/** What `quickProgram` reads. */
export function quickFile(text, code) {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(code.length);
  return Buffer.concat([code, Buffer.from(text, 'latin1'), length]);
}
