/**
 * What ReCalKV makes of a model's key and value projections: low-rank factors, per layer and group of KV heads.
 *
 * Decides the shapes at the border between the offline mathematics and the runtime, both float32 and row-major.
 * Knows nothing of how the factors are found, stored or applied.
 */

export type { FactorGroup, LayerFactors, LowRankFactors } from '../../../model/low-rank.js';
