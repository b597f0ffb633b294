/**
 * Token methods whose score AdaKV and CriticalKV can build on, in the order in which they are listed.
 *
 * Decides that streaming_llm is none of them: it knows positions only, which all KV heads share.
 */
import { expectedAttention } from './expected-attention.js';
import { h2o } from './h2o.js';
import { keydiff } from './keydiff.js';
import { knorm } from './knorm.js';
import { pyramidkv } from './pyramidkv.js';
import { random } from './random.js';
import { snapkv } from './snapkv.js';
import type { ScoringMethod } from './token-method.js';
import { tova } from './tova.js';

export const scorers: ReadonlyMap<string, ScoringMethod> = new Map(
  [snapkv, pyramidkv, tova, h2o, expectedAttention, knorm, keydiff, random].map(
    (method): [string, ScoringMethod] => [method.name, method as ScoringMethod],
  ),
);
