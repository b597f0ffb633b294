/**
 * Loaded into a program with `--import`: does something to a file of weights while its tensors are read.
 *
 * `CHANGE_WEIGHTS` is the file; `CHANGE_HOW` is `cut`, at its middle, or `touch`.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { CHANGE_WEIGHTS: path, CHANGE_HOW: how } = process.env;
const { openSync, readSync } = fs;
/** Reads before it: the header takes two, each tensor one. */
let left = 12;
let weights;

fs.openSync = (opened, ...rest) => {
  const file = openSync(opened, ...rest);
  if (opened === path) weights = file;
  return file;
};

fs.readSync = (file, ...rest) => {
  if (file === weights && --left === 0) {
    if (how === 'cut') fs.truncateSync(path, fs.statSync(path).size / 2);
    else fs.utimesSync(path, 1, 1);
  }
  return readSync(file, ...rest);
};

syncBuiltinESMExports();
