/**
 * Chinese words as jieba cuts them, its hidden Markov model on: without it a third to a half of the scores change.
 *
 * Decides which binding is used (`@node-rs/jieba`, an optional package with jieba's own dictionary) and that it is
 * loaded with the first Chinese text only, for its dictionary takes a moment. It differs from jieba 0.42.1 in Latin
 * letters and digits around a hyphen: `ferry-8` stays one word, which jieba cuts into three. Knows nothing of scores.
 */
import { createRequire } from 'node:module';
import { UserError } from '../../errors.js';

const PACKAGE = '@node-rs/jieba';

interface Segmenter {
  cut(text: string, hmm: boolean): string[];
}

let segmenter: Segmenter | undefined;

/** The words of a text in order; together they are the text. Throws UserError where the package is missing. */
export function segmentChinese(text: string): string[] {
  segmenter ??= loadSegmenter();
  return segmenter.cut(text, true);
}

function loadSegmenter(): Segmenter {
  const require = createRequire(import.meta.url);
  try {
    const { Jieba } = require(PACKAGE) as { Jieba: { withDict(dictionary: Uint8Array): Segmenter } };
    const { dict } = require(`${PACKAGE}/dict`) as { dict: Uint8Array };
    return Jieba.withDict(dict);
  } catch (error) {
    throw new UserError(`a Chinese score needs the optional package ${PACKAGE}, which does not load`, {
      hint: `npm install ${PACKAGE}`,
      cause: error,
    });
  }
}
