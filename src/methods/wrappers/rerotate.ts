/**
 * Key re-rotation: the tokens that another method keeps move up to positions without gaps.
 *
 * The next token's position is then the number of tokens kept, as if they were the prompt.
 */
import * as z from 'zod';
import { withMovedKeys } from '../moved-keys.js';
import { baseFields, checkBase, methodOfBase } from './base-scorer.js';

const params = z.strictObject(baseFields).check(checkBase);

type RerotateParams = z.infer<typeof params>;

export const rerotate = methodOfBase<RerotateParams>({
  name: 'rerotate',
  summary: 'moves the keys that another method keeps to positions without gaps',
  paper: 'none: KeyRerotationPress of kvpress; StreamingLLM (arXiv 2309.17453) and Finch do it',
  stores: 'as the base: keys, rotated to their new positions, and values of the kept tokens, dense',
  notes: [
    'Decoding goes on at the position behind the kept tokens, in each layer behind its own.',
    'Where KV heads hold different numbers of tokens, those of the shorter ones end where those of the longest do.',
    'Angles are those of the model’s own frequencies, pairing and rotated width; a factor on the keys (YaRN) is in them already. Layers without RoPE keep their keys as they are.',
    'Not in sliding layers, which are left as they are beside full ones, and not where angles depend on the length.',
  ],
  params,
  observes: [],
  rewrites: ({ ratio }) => (ratio === 0 ? [] : ['keys']),
  refine: (chosen, trace) => withMovedKeys('rerotate', trace, chosen),
});
