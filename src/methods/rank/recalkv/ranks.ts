/**
 * How ReCalKV spends its latent channels: a rank for every key group and every value projection of a model.
 *
 * One score per KV head decides who gets more.
 */
import { UserError } from '../../../base/errors.js';
import { groupCount } from './grouping.js';

/** Of one layer. */
export interface LayerRanks {
  /** Per key group. */
  readonly keys: readonly number[];
  /** Of the one latent that all value heads share. */
  readonly values: number;
}

/** Of one layer: per KV head the mean over its weights of √(mean over the batches of the squared gradient), `[KV]`. */
export interface FisherScores {
  readonly keys: readonly number[];
  readonly values: readonly number[];
}

/**
 * `fisher_uniform`: projections share the total by their score, and each divides its rank equally among its groups
 * (the published tables); `fisher`: groups of neighbouring heads share it; `uniform`: all groups alike.
 */
export type Allocation = 'fisher_uniform' | 'fisher' | 'uniform';

export interface RankRequest {
  readonly allocation: Allocation;
  /** Fraction of the latent channels removed, in [0, 1). */
  readonly ratio: number;
  /** KV heads per key group; divides KV. */
  readonly groupSize: number;
  /** A group's rank is a multiple of this, as far as its full rank allows; 32 as released. */
  readonly multiple: number;
  /** D */
  readonly headDim: number;
}

/**
 * The ranks of all layers (paper section 3.1, following Palu; released code `rank_search`).
 *
 * Each share is rounded down; what is left goes out in ones, to the largest fractional parts first in
 * `fisher_uniform` and to the smallest first in `fisher`, and where the target is no whole number to every projection
 * that is not at full rank, all as released. Then a group's rank is rounded to the nearest multiple (ties to even), at
 * least one and at most its full rank, so that the sum is near the target and not on it.
 *
 * @param scores per layer, finite, not negative, not all zero; with `uniform` only their shape counts
 *
 * Throws a UserError where the group size does not divide KV, an Error on scores that are no scores.
 */
export function allocateRanks(scores: readonly FisherScores[], request: RankRequest): LayerRanks[] {
  const sides = scores.flatMap(({ keys, values }) => [keys, values]);
  const groups = groupCount(sides[0]!.length, request.groupSize);
  const full = request.groupSize * request.headDim;
  const shares = sharesOf(sides, groups, full, request); // [2·N][groups]
  const ranks = shares.map((side) =>
    side.map((rank) => Math.min(full, roundToMultiple(rank, request.multiple))),
  );
  return scores.map((_, layer) => ({ keys: ranks[2 * layer]!, values: sum(ranks[2 * layer + 1]!) }));
}

/** Per projection and group the rank before it is rounded to a multiple. */
function sharesOf(
  sides: readonly (readonly number[])[],
  groups: number,
  full: number,
  { allocation, ratio, groupSize }: RankRequest,
): number[][] {
  const target = wholeIfNear(sides.length * groups * full * (1 - ratio));
  switch (allocation) {
    case 'uniform':
      return sides.map(() => Array<number>(groups).fill(full * (1 - ratio)));
    case 'fisher_uniform': {
      const ranks = proportional(sides.map(mean), target, groups * full, 'largest');
      return ranks.map((rank) => Array<number>(groups).fill(Math.floor(rank / groups)));
    }
    case 'fisher': {
      const blocks = sides.flatMap((side) =>
        Array.from({ length: groups }, (_, g) => mean(side.slice(g * groupSize, (g + 1) * groupSize))),
      );
      const ranks = proportional(blocks, target, full, 'smallest');
      return sides.map((_, side) => ranks.slice(side * groups, (side + 1) * groups));
    }
  }
}

/** Whole ranks of at most `full` in proportion to the scores; `first` names the fractions that are rounded up first. */
function proportional(
  scores: readonly number[],
  target: number,
  full: number,
  first: 'largest' | 'smallest',
): number[] {
  const total = sum(scores);
  if (!(total > 0 && Number.isFinite(total)) || scores.some((score) => score < 0)) {
    throw new UserError(
      `Fisher scores must be finite and not negative, and one above zero; their sum is ${total}`,
      { hint: 'The scores are gradients of the model on its calibration text: are its weights whole?' },
    );
  }
  const wanted = scores.map((score) => (target * score) / total);
  const ranks = wanted.map((rank) => Math.min(full, Math.floor(rank)));
  const rest = wanted.map((rank, i) => rank - ranks[i]!);
  const order = rest
    .map((_, i) => i)
    .sort((a, b) => (first === 'largest' ? rest[b]! - rest[a]! : rest[a]! - rest[b]!));
  let left = target - sum(ranks);
  while (left > 0) {
    const open = order.filter((i) => ranks[i]! < full);
    if (open.length === 0) break;
    for (const i of open) {
      ranks[i]! += 1;
      left -= 1;
      if (left === 0) break;
    }
  }
  return ranks;
}

/** 1 − ratio is rarely exact in binary, and a whole target is handed out differently from a broken one. */
function wholeIfNear(target: number): number {
  const whole = Math.round(target);
  return Math.abs(target - whole) < 1e-6 ? whole : target;
}

function roundToMultiple(rank: number, multiple: number): number {
  const units = rank / multiple;
  const below = Math.floor(units);
  const up = units - below > 0.5 || (units - below === 0.5 && below % 2 === 1);
  return Math.max(1, up ? below + 1 : below) * multiple;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
