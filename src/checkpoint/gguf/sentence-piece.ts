/**
 * SentencePiece vocabularies of GGUF files (Llama 2, Mistral, Phi-3, Gemma) as byte-pair merges.
 *
 * SentencePiece joins the two neighbours that make the piece of the highest score. Said as merges: every way to make a piece of
 * two others, in the order of the scores, as the checkpoints' own tokenizer.json has them.
 */
import type { GgufMetadata } from './metadata.js';

/** Token types of ggml. */
const NORMAL = 1;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

const SPACE = '▁';

/** Model, normalizer and decoder of a tokenizer.json. Throws UserError (place = the file) where scores or bytes are missing. */
export function sentencePieceParts(
  metadata: GgufMetadata,
  tokens: readonly string[],
  types: readonly number[],
): object {
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores.length !== tokens.length) {
    throw metadata.fault(`${tokens.length} tokens have ${scores.length} scores`);
  }
  if (scores.some((score) => Number.isNaN(score))) {
    throw metadata.fault('tokenizer.ggml.scores holds what is no number');
  }
  const bytes = types.filter((type) => type === BYTE).length;
  if (bytes !== 0 && bytes !== 256) {
    throw metadata.fault(`the vocabulary has ${bytes} byte tokens, expected all 256 or none`);
  }
  const escapes = metadata.optionalBoolean('tokenizer.ggml.escape_whitespaces') ?? true;
  const prefixed = metadata.optionalBoolean('tokenizer.ggml.add_space_prefix') ?? true;
  const space = escapes ? SPACE : ' ';
  const unknown = tokens[metadata.optionalNumber('tokenizer.ggml.unknown_token_id') ?? 0];
  return {
    model: {
      type: 'BPE',
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: bytes === 256,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: mergesOf(tokens, scores, types),
    },
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(prefixed ? [{ type: 'Prepend', prepend: space }] : []),
        ...(escapes ? [{ type: 'Replace', pattern: { String: ' ' }, content: SPACE }] : []),
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        ...(escapes ? [{ type: 'Replace', pattern: { String: SPACE }, content: ' ' }] : []),
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
  };
}

/** All pairs of pieces that make a piece, that of the highest score first; of equal ones those with the longer first part. */
function mergesOf(
  tokens: readonly string[],
  scores: readonly number[],
  types: readonly number[],
): [string, string][] {
  const mergeable = (id: number): boolean => [NORMAL, USER_DEFINED, UNUSED].includes(types[id]!);
  const pieces = new Map<string, number>(tokens.flatMap((token, id) => (mergeable(id) ? [[token, id]] : [])));
  const merges: { readonly left: string; readonly right: string; readonly score: number }[] = [];
  for (const [piece, id] of pieces) {
    // between characters, not between the halves of one
    for (let at = 1; at < piece.length; at++) {
      const code = piece.charCodeAt(at);
      if (code >= 0xdc00 && code <= 0xdfff) continue;
      const [left, right] = [piece.slice(0, at), piece.slice(at)];
      if (pieces.has(left) && pieces.has(right)) merges.push({ left, right, score: scores[id]! });
    }
  }
  return merges
    .sort((a, b) => b.score - a.score || b.left.length - a.left.length || b.right.length - a.right.length)
    .map(({ left, right }) => [left, right]);
}
