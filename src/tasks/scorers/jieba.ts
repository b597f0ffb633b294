/**
 * Chinese words as jieba 0.42.1 cuts them, its hidden Markov model on: without it a third to a half of the scores change.
 *
 * By `@node-rs/jieba`, an optional package, which is loaded with the first Chinese text only, for its dictionary takes a
 * moment, and mended where it is not jieba's:
 * - its blocks hold the ideographs that Unicode added after U+9FD5 too, so blocks are cut here (`re_han_default`);
 * - between letters and digits it takes any character for a decimal point and keeps `ferry-8` whole, so what is not
 *   Chinese is cut again here (`re_skip` of jieba's `finalseg`);
 * - its dictionary lacks one word of jieba's, `B超`.
 */
import { createRequire } from 'node:module';
import { UserError } from '../../base/errors.js';

const PACKAGE = '@node-rs/jieba';

/** What jieba cuts by dictionary and model (`re_han_default`); all else is one word a character. */
const BLOCKS = /([\u4E00-\u9FD5a-zA-Z0-9+#&._%-]+)/u;
const SINGLES = /\r\n|./gsu;
/** Words and numbers in what is not Chinese (`re_skip` of `finalseg`). */
const LATIN = /([a-zA-Z0-9]+(?:\.[0-9]+)?%?)/;
const IS_ASCII = /^[!-~]+$/;
/** Words of the dictionary that are all ASCII: they are found before `finalseg` sees a text. */
const ASCII_ENTRIES: ReadonlySet<string> = new Set(['AT&T', 'C#', 'C++', 'c#', 'c++']);
const MISSING_ENTRIES = '\nB超 3 n\n';

interface Segmenter {
  cut(text: string, hmm: boolean): string[];
}

let segmenter: Segmenter | undefined;

/** The words of a text in order; together they are the text. Throws UserError where the package is missing. */
export function segmentChinese(text: string): string[] {
  segmenter ??= loadSegmenter();
  const words: string[] = [];
  for (const [i, piece] of text.split(BLOCKS).entries()) {
    if (i % 2 === 1) words.push(...recutLatin(segmenter.cut(piece, true)));
    else words.push(...(piece.match(SINGLES) ?? []));
  }
  return words;
}

/** The words of a block, those between Chinese words and entries of the dictionary cut anew. */
function* recutLatin(words: readonly string[]): Generator<string> {
  let run = '';
  for (const word of words) {
    if (IS_ASCII.test(word) && !ASCII_ENTRIES.has(word)) {
      run += word;
      continue;
    }
    yield* cutLatin(run);
    yield word;
    run = '';
  }
  yield* cutLatin(run);
}

function cutLatin(run: string): string[] {
  return run.split(LATIN).filter((word) => word !== '');
}

function loadSegmenter(): Segmenter {
  const require = createRequire(import.meta.url);
  try {
    const { Jieba } = require(PACKAGE) as { Jieba: { withDict(dictionary: Uint8Array): Segmenter } };
    const { dict } = require(`${PACKAGE}/dict`) as { dict: Uint8Array };
    return Jieba.withDict(Buffer.concat([dict, Buffer.from(MISSING_ENTRIES)]));
  } catch (error) {
    throw new UserError(`a Chinese score needs the optional package ${PACKAGE}, which does not load`, {
      hint: `npm install ${PACKAGE}`,
      cause: error,
    });
  }
}
