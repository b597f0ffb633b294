/**
 * What the module exports: the kernels, with plain numbers as arguments.
 *
 * All memory from `heapBase()` on belongs to the caller.
 */
export { gather, scatterAdd } from './columns';
export { accumulateDense } from './dense-accumulate';
export { scoreDense } from './dense-score';
export { fusedProbe } from './fused';
export { rebuildRows, rotateRows } from './latent';
export { activateRow, addRows, addScaled, bestOf, normRows, rotateHeads } from './layers';
export { packKept, packSigns } from './packing';
export { multiplyRows } from './products';
export { dequantiseChannels, dequantiseTokens } from './quantised';
export { rankRows } from './ranking';
export { roundToHalves } from './rounding';
export { copyRows, fillRows, maskColumns } from './rows';
export { scratchBytes, useScratch } from './scratch';
export { capRows, softmaxRows } from './softmax';
export { accumulateSparse, recoverQuantised, scoreSparse } from './sparse';
export { widenRows, widenTransposed } from './weights';
export { work } from './work';

/** The first byte that the kernels leave free. */
export function heapBase(): usize {
  return __heap_base;
}
