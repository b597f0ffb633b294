/** The tokenizer of a GGUF file that has one token a byte, and unused ones up to the model's vocabulary. */
import { gguf } from '../model/support.js';

/** Types of tokens. */
const [NORMAL, UNUSED] = [1, 5];

/** Metadata of the file; the last token ends an answer. */
export function byteTokenizer(vocabulary: number): [string, Buffer][] {
  const bytes = byteLetters();
  const ids = Array.from({ length: vocabulary }, (_, id) => id);
  return [
    ['tokenizer.ggml.model', gguf.string('gpt2')],
    ['tokenizer.ggml.pre', gguf.string('gpt-2')],
    ['tokenizer.ggml.tokens', gguf.strings(ids.map((id) => bytes[id] ?? `unused ${id}`))],
    ['tokenizer.ggml.token_type', gguf.u32s(ids.map((id) => (id < bytes.length ? NORMAL : UNUSED)))],
    ['tokenizer.ggml.merges', gguf.strings([])],
    ['tokenizer.ggml.eos_token_id', gguf.u32(vocabulary - 1)],
  ];
}

/** The letters of byte-level BPE, one for each byte. */
function byteLetters(): string[] {
  const prints = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let other = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(prints(byte) ? byte : other++));
}
