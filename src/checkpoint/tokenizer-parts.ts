/**
 * The parts of a tokenizer.json that `@huggingface/tokenizers` computes exactly as the original library does.
 *
 * Some parts and options give other ids there, without a word; so what is not on this list is refused by name.
 */
import { UserError } from '../base/errors.js';

type Node = Readonly<Record<string, unknown>>;

/** True, or what of a part is not exact. */
type Check = (node: Node) => true | string;

const always: Check = () => true;

function unless(field: string, allowed: readonly unknown[]): Check {
  return (node) =>
    allowed.includes(node[field] ?? null) ? true : `${field} ${JSON.stringify(node[field] ?? null)}`;
}

const NORMALIZERS: Readonly<Record<string, Check>> = {
  ...{ NFC: always, NFD: always, NFKC: always, NFKD: always, Prepend: always },
  // the library gives the content to JavaScript, where $ has a meaning
  Replace: (node) => (String(node['content']).includes('$') ? 'content with a $' : true),
};

const PRE_TOKENIZERS: Readonly<Record<string, Check>> = {
  Split: (node) => {
    if (node['invert'] === true) return 'invert true';
    const isString = typeof (node['pattern'] as Node | undefined)?.['String'] === 'string';
    if (node['behavior'] === 'Isolated' || (node['behavior'] === 'Removed' && !isString)) return true;
    return `behavior ${JSON.stringify(node['behavior'])}${isString ? ' of a string' : ''}`;
  },
  ByteLevel: unless('add_prefix_space', [false, null]),
  Digits: always,
  Metaspace: unless('split', [false]),
};

const DECODERS: Readonly<Record<string, Check>> = {
  ...{ ByteLevel: always, ByteFallback: always, Fuse: always, Strip: always, Metaspace: always },
  Replace: NORMALIZERS['Replace']!,
};

const POST_PROCESSORS: Readonly<Record<string, Check>> = { ByteLevel: always, TemplateProcessing: always };

const KINDS = {
  normalizer: { known: NORMALIZERS, list: 'normalizers' },
  pre_tokenizer: { known: PRE_TOKENIZERS, list: 'pretokenizers' },
  decoder: { known: DECODERS, list: 'decoders' },
  post_processor: { known: POST_PROCESSORS, list: 'processors' },
} as const;

/** A checked tokenizer.json, as far as it is looked at here. */
export interface Definition {
  readonly model: Node;
  readonly added_tokens: readonly Node[];
  readonly normalizer: unknown;
  readonly pre_tokenizer: unknown;
  readonly decoder: unknown;
  readonly post_processor: unknown;
}

/** Throws UserError (place = the file) on a part or an option that would give other ids. */
export function expectExactParts(definition: Definition, place: string): void {
  for (const kind of Object.keys(KINDS) as (keyof typeof KINDS)[]) {
    const { known, list } = KINDS[kind];
    for (const node of flattened(definition[kind], list)) {
      const type = String(node['type']);
      const check = Object.hasOwn(known, type) ? known[type] : undefined;
      const found = check === undefined ? '' : check(node);
      if (found === true) continue;
      throw new UserError(
        `${kind} "${type}"${found === '' ? '' : ` with ${found}`} is not supported: it would give other tokens`,
        { place, hint: `Supported: ${Object.keys(known).join(', ')}, each as most models have it.` },
      );
    }
  }
  const single = definition.added_tokens.find((token) => token['single_word'] === true);
  if (single !== undefined) {
    throw new UserError(
      `added token ${JSON.stringify(single['content'])} with single_word is not supported: it would give other tokens`,
      { place },
    );
  }
  for (const option of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = definition.model[option] ?? null;
    if (value === null || value === '' || value === 0) continue;
    throw new UserError(
      `model with ${option} ${JSON.stringify(value)} is not supported: it would give other tokens`,
      { place },
    );
  }
}

/** The parts of a sequence, at any depth. */
function flattened(value: unknown, list: string): Node[] {
  if (typeof value !== 'object' || value === null) return [];
  const node = value as Node;
  if (node['type'] !== 'Sequence') return [node];
  const parts = node[list];
  return Array.isArray(parts) ? parts.flatMap((part) => flattened(part, list)) : [];
}

/**
 * The pre-tokenizer without splits at a space where the normalizer leaves none: Gemma's files have one, whose behaviour the
 * library does not know and which never acts.
 */
export function withoutIdleSplits(preTokenizer: unknown, normalizer: unknown): unknown {
  const replacesSpaces = flattened(normalizer, 'normalizers').some(
    ({ type, pattern, content }) =>
      type === 'Replace' && (pattern as Node)['String'] === ' ' && !String(content).includes(' '),
  );
  if (!replacesSpaces) return preTokenizer;
  const kept = flattened(preTokenizer, 'pretokenizers').filter(
    ({ type, pattern }) => !(type === 'Split' && (pattern as Node | undefined)?.['String'] === ' '),
  );
  if (kept.length === 0) return null;
  return kept.length === 1 ? kept[0] : { type: 'Sequence', pretokenizers: kept };
}
