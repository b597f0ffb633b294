/**
 * LongBench's first-line rule (`scorer` of its eval.py), for the few-shot tasks whose answer is one line.
 *
 * It is the first line after leading line feeds. Only U+000A separates lines and only it is stripped,
 * so that "\r\nyes" gives "\r" and " \nyes" gives " ".
 */
import { stripLeadingNewlines } from './python-text.js';

export function firstLine(prediction: string): string {
  return stripLeadingNewlines(prediction).split('\n', 1)[0]!;
}
