/**
 * Calibration text: what is read, and which sequences of it a model is run over.
 *
 * Sequences begin anywhere in the text, drawn by the seed, as in the released code of ReCalKV and Palu.
 */
import { UserError } from '../base/errors.js';
import type { Tokenizer } from '../checkpoint/types.js';
import { readDataFile, shippedFile, type DataFile } from '../tasks/files/data-file.js';
import { randomFor } from '../base/random.js';

const DEFAULT_TEXT = 'calibration/sotu-1962-1972.txt';

export interface SequenceRequest {
  readonly samples: number;
  /** Tokens of each sequence. */
  readonly length: number;
  readonly seed: number;
  /** Path of a UTF-8 text; without it, the one that ships. */
  readonly text?: string | undefined;
}

/** Throws UserError where the text cannot be read. */
export function calibrationText(text: string | undefined): DataFile {
  return readDataFile(text ?? shippedFile(DEFAULT_TEXT));
}

/** `samples` sequences of `length` ids. Throws UserError where the text is shorter than one of them. */
export function calibrationSequences(tokenizer: Tokenizer, request: SequenceRequest): number[][] {
  const { samples, length, seed, text } = request;
  const ids = tokenizer.encode(calibrationText(text).text);
  if (ids.length < length) {
    throw new UserError(`the calibration text has ${ids.length} tokens, one sequence needs ${length}`, {
      place: text ?? shippedFile(DEFAULT_TEXT),
      hint: 'Use a longer text, or a smaller length.',
      exitCode: 2,
    });
  }
  const random = randomFor('calibration', seed);
  return Array.from({ length: samples }, () => {
    const start = random.below(ids.length - length + 1);
    return ids.slice(start, start + length);
  });
}
