/**
 * Running text for essay haystacks: its first n words, in sentences.
 *
 * Decides where sentences end, by punctuation alone, and that a text which is too short is repeated. Knows
 * nothing of needles.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { shippedFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';

/** The parameter of tasks that have an essay. */
export const essayParam = z
  .string()
  .min(1)
  .optional()
  .describe('path of a UTF-8 text for the haystack, in place of the Moby Dick that ships with the package');

export const DEFAULT_ESSAY = 'essays/moby-dick.txt';

/** White space after a full stop, question or exclamation mark, with or without a closing quote. */
const SENTENCE_END = /(?<=[.!?]["'”’]?)(?<!\b(?:Mr|Mrs|Dr|St)\.)\s+/u;

interface Sentence {
  readonly text: string;
  readonly words: number;
}

export function essayPath(essay: string | undefined): string {
  return essay ?? shippedFile(DEFAULT_ESSAY);
}

/** The first `words` words of the text at `path`, as sentences; the last one may be cut. */
export function firstWords(files: DataFiles, path: string, words: number): string[] {
  const sentences = files.once(`sentences ${path}`, () => sentencesOf(files.text(path).text, path));
  const taken: string[] = [];
  let left = words;
  for (let i = 0; left > 0; i = (i + 1) % sentences.length) {
    const sentence = sentences[i]!;
    taken.push(sentence.words <= left ? sentence.text : sentence.text.split(' ', left).join(' '));
    left -= sentence.words;
  }
  return taken;
}

function sentencesOf(text: string, path: string): readonly Sentence[] {
  const sentences = text
    .split(SENTENCE_END)
    .map((sentence) => sentence.split(/\s+/u).filter((word) => word !== ''))
    .filter((words) => words.length > 0)
    .map((words) => ({ text: words.join(' '), words: words.length }));
  if (sentences.length === 0)
    throw new UserError('expected an essay of at least one word, found none', { place: path });
  return sentences;
}
