/** The methods that a spec may name, in the order in which they are listed. */
import { adakv } from './wrappers/adakv.js';
import { criticalkv } from './wrappers/criticalkv.js';
import { dbudgetkv } from './token/dbudgetkv.js';
import { expectedAttention } from './token/expected-attention.js';
import { h2o } from './token/h2o.js';
import { keydiff } from './token/keydiff.js';
import { kivi } from './precision/kivi.js';
import { knorm } from './token/knorm.js';
import { morphkv } from './token/morphkv.js';
import { pyramidkv } from './token/pyramidkv.js';
import { quant } from './precision/quant.js';
import { random } from './token/random.js';
import { recalkv } from './rank/recalkv.js';
import { snapkv } from './token/snapkv.js';
import { spark } from './channel/spark.js';
import { streamingLlm } from './token/streaming-llm.js';
import { think } from './channel/think.js';
import { tova } from './token/tova.js';
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
