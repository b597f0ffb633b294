/**
 * Loaded into a program with `--import`: makes a run wait behind the first line of its journal until its standard input ends.
 *
 * A test that kills a run, or takes its folder away, then meets it at work on any machine.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { openSync, fsyncSync } = fs;
const clock = new Int32Array(new SharedArrayBuffer(4));
let journal;

fs.openSync = (path, ...rest) => {
  const file = openSync(path, ...rest);
  if (String(path).endsWith('journal.jsonl')) journal = file;
  return file;
};

fs.fsyncSync = (file) => {
  fsyncSync(file);
  if (file !== journal) return;
  journal = undefined;
  while (!inputHasEnded()) Atomics.wait(clock, 0, 0, 20);
};

syncBuiltinESMExports();

function inputHasEnded() {
  try {
    return fs.readSync(0, new Uint8Array(1)) === 0;
  } catch {
    return false; // nothing there yet
  }
}
