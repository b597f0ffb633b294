/** The methods that a spec may name, in the order in which they are listed. */
import { cap } from './token/cap.js';
import { compactor } from './token/compactor.js';
import { cur } from './token/cur.js';
import { dropkv } from './token/dropkv.js';
import { lagkv } from './token/lagkv.js';
import { leverage } from './token/leverage.js';
import { noncausal } from './token/noncausal.js';
import { finch } from './token/finch.js';
import { simlayerkv } from './token/simlayerkv.js';
import { block } from './wrappers/block.js';
import { chunk } from './wrappers/chunk.js';
import { chunkkv } from './wrappers/chunkkv.js';
import { entropyGated } from './wrappers/entropy-gated.js';
import { merge } from './wrappers/merge.js';
import { perLayer } from './wrappers/per-layer.js';
import { rerotate } from './wrappers/rerotate.js';
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
    cur,
    lagkv,
    leverage,
    noncausal,
    compactor,
    dropkv,
    cap,
    finch,
    simlayerkv,
    random,
    morphkv,
    adakv,
    criticalkv,
    chunkkv,
    entropyGated,
    chunk,
    block,
    merge,
    rerotate,
    perLayer,
    dbudgetkv,
    think,
    spark,
    recalkv,
    kivi,
    quant,
  ].map((method): [string, Method] => [method.name, method as Method]),
);
