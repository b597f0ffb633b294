/** The methods that a spec may name, in the order in which they are listed. */
import { adakv } from './adakv.js';
import { criticalkv } from './criticalkv.js';
import { dbudgetkv } from './dbudgetkv.js';
import { expectedAttention } from './expected-attention.js';
import { h2o } from './h2o.js';
import { keydiff } from './keydiff.js';
import { kivi } from './kivi.js';
import { knorm } from './knorm.js';
import { morphkv } from './morphkv.js';
import { pyramidkv } from './pyramidkv.js';
import { quant } from './quant.js';
import { random } from './random.js';
import { recalkv } from './recalkv.js';
import { snapkv } from './snapkv.js';
import { spark } from './spark.js';
import { streamingLlm } from './streaming-llm.js';
import { think } from './think.js';
import { tova } from './tova.js';
import type { Method } from './types.js';

export const methods: ReadonlyMap<string, Method> = new Map(
  [
    streamingLlm,
    snapkv,
    pyramidkv,
    tova,
    h2o,
    expectedAttention,
    knorm,
    keydiff,
    random,
    morphkv,
    adakv,
    criticalkv,
    dbudgetkv,
    think,
    spark,
    recalkv,
    kivi,
    quant,
  ].map((method): [string, Method] => [method.name, method as Method]),
);
