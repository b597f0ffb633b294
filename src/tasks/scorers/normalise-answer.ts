/**
 * What of a short answer counts, in English (SQuAD's rules, arXiv 1606.05250) and in Chinese (LongBench's and
 * InfiniteBench's).
 *
 * Dropped are, in English: case, the 32 ASCII punctuation marks (deleted, not spaced: `self-taught` is one
 * word), then whole words a, an, the; in Chinese: case, ASCII and East Asian punctuation as the benchmark lists it (`·`
 * and `《` are not on the list), all white space. Curly quotes and dashes stay on English words.
 */
import { splitWords, wholeWord } from './python-text.js';

const ASCII_PUNCTUATION = /[!-/:-@[-`{-~]/g;
const ARTICLES = new RegExp(wholeWord('a|an|the'), 'gu');
const CHINESE_PUNCTUATION = new RegExp(
  '[！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏]',
  'gu',
);

/** The words of an English answer that count. */
export function answerWords(text: string): string[] {
  return splitWords(text.toLowerCase().replace(ASCII_PUNCTUATION, '').replace(ARTICLES, ' '));
}

/** What counts of a Chinese text; may be empty. */
export function normaliseChinese(text: string): string {
  const bare = text.toLowerCase().replace(ASCII_PUNCTUATION, '').replace(CHINESE_PUNCTUATION, '');
  return splitWords(bare).join('');
}
