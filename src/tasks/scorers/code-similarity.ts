/**
 * Similarity of a line of code: `code_sim_score` of LongBench (arXiv 2308.14508, metrics.py), `fuzz.ratio` of
 * fuzzywuzzy 0.18.0 over difflib, which is what runs where python-Levenshtein is not installed.
 *
 * Compared is the first line without a backquote, `#` or `//`, after leading line feeds; a line of
 * spaces qualifies. Characters are code points.
 */
import { codePoints, stripLeadingNewlines } from './python-text.js';
import { round } from './rounding.js';
import { similarityRatio } from './sequence-matcher.js';

/** In [0, 1], whole hundredths. Not symmetric: the answer's frequent characters start no match. */
export function codeSimilarity(prediction: string, answer: string): number {
  const line = firstCodeLine(prediction);
  if (line === answer) return 1;
  if (line === '' || answer === '') return 0;
  return round(100 * similarityRatio(codePoints(line), codePoints(answer)), 0) / 100;
}

function firstCodeLine(prediction: string): string {
  const lines = stripLeadingNewlines(prediction).split('\n');
  return lines.find((line) => !/[`#]|\/\//.test(line)) ?? '';
}
