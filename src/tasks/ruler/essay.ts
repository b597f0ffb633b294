/**
 * Running text for essay haystacks: its first n units, in sentences.
 *
 * Sentences end by punctuation alone, that of other scripts included; a text which is too short is repeated.
 */
import * as z from 'zod';
import { UserError } from '../../base/errors.js';
import { shippedFile } from '../files/data-file.js';
import type { DataFiles } from '../files/data-files.js';
import { hasUnspaced, SPACED_END, UNSPACED_END } from '../scripts.js';
import { cutPiece, type Piece, pieceOf } from './pieces.js';

/** The parameter of tasks that have an essay. */
export const essayParam = z
  .string()
  .min(1)
  .optional()
  .describe('path of a UTF-8 text for the haystack, in place of the Moby Dick that ships with the package');

/** The parameter of tasks whose published rule counts depth in sentences. */
export const placementParam = z
  .enum(['sentence', 'border'])
  .optional()
  .describe(
    'where needles stand: sentence, between sentences, depth counted in sentences as published, so that in a text of few or uneven sentences they lie where those end; border, depth counted in words, at the border of a word where no sentence ends near; where not given, sentence',
  );

export const DEFAULT_ESSAY = 'essays/moby-dick.txt';

/**
 * White space after a full stop, question or exclamation mark, with or without a closing quote; behind a mark of a script
 * without spaces, nothing is needed.
 */
const SENTENCE_END = new RegExp(
  `((?<=[.!?${SPACED_END}]["'”’]?)(?<!\\b(?:Mr|Mrs|Dr|St)\\.)\\s+|(?<=[${UNSPACED_END}][」』”’）》]*)(?![」』”’）》${UNSPACED_END}])\\s*)`,
  'u',
);
const OTHER_MARKS = new RegExp(`[${SPACED_END}${UNSPACED_END}]`, 'u');

export function essayPath(essay: string | undefined): string {
  return essay ?? shippedFile(DEFAULT_ESSAY);
}

/**
 * What a digest says of the rules by which an essay is cut: nothing where it has neither other scripts nor their marks, so that
 * its samples are those of the first release.
 */
export function essayRules(files: DataFiles, path: string): string {
  const { text } = files.text(path);
  return files.once(`essay rules ${path}`, () =>
    hasUnspaced(text) || OTHER_MARKS.test(text) ? ', other scripts 1' : '',
  );
}

/** The first `units` units of the text at `path`, as sentences; the last one may be cut. */
export function firstUnits(files: DataFiles, path: string, units: number): Piece[] {
  const sentences = files.once(`sentences ${path}`, () => sentencesOf(files.text(path).text, path));
  const taken: Piece[] = [];
  let left = units;
  for (let i = 0; left > 0; i = (i + 1) % sentences.length) {
    const sentence = sentences[i]!;
    taken.push(cutPiece(sentence, left));
    left -= sentence.units;
  }
  return taken;
}

function sentencesOf(text: string, path: string): readonly Piece[] {
  const sentences: Piece[] = [];
  // Odd entries are what stands between two sentences.
  const parts = text.split(SENTENCE_END);
  for (let i = 0; i < parts.length; i += 2) {
    const sentence = parts[i]!.split(/\s+/u)
      .filter((word) => word !== '')
      .join(' ');
    if (sentence === '') continue;
    const spaced = i === 0 ? !hasUnspaced(sentence) : parts[i - 1] !== '';
    sentences.push(pieceOf(sentence, spaced ? ' ' : ''));
  }
  if (sentences.length === 0)
    throw new UserError('expected an essay of at least one word, found none', { place: path });
  return sentences;
}
