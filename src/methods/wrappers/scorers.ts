/**
 * Token methods whose score AdaKV and CriticalKV can build on, in the order in which they are listed.
 *
 * streaming_llm is none of them: it knows positions only, which all KV heads share.
 */
import { cap } from '../token/cap.js';
import { compactor } from '../token/compactor.js';
import { cur } from '../token/cur.js';
import { dropkv } from '../token/dropkv.js';
import { lagkv } from '../token/lagkv.js';
import { leverage } from '../token/leverage.js';
import { noncausal } from '../token/noncausal.js';
import { expectedAttention } from '../token/expected-attention.js';
import { h2o } from '../token/h2o.js';
import { keydiff } from '../token/keydiff.js';
import { knorm } from '../token/knorm.js';
import { pyramidkv } from '../token/pyramidkv.js';
import { random } from '../token/random.js';
import { snapkv } from '../token/snapkv.js';
import type { ScoringMethod } from '../token/token-method.js';
import { tova } from '../token/tova.js';

export const scorers: ReadonlyMap<string, ScoringMethod> = new Map(
  [
    snapkv,
    pyramidkv,
    tova,
    h2o,
    expectedAttention,
    knorm,
    keydiff,
    cur,
    lagkv,
    leverage,
    noncausal,
    compactor,
    dropkv,
    cap,
    random,
  ].map((method): [string, ScoringMethod] => [method.name, method as ScoringMethod]),
);
