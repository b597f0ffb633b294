/**
 * What ReCalKV makes of a model's key and value projections: low-rank factors, per layer and group of KV heads.
 *
 * Float32 and row-major, at the border between the offline mathematics and the runtime.
 */

export type { FactorGroup, LayerFactors, LowRankFactors } from '../../../model/low-rank.js';
