/**
 * Which methods may follow each other in a pipeline.
 *
 * Axes have an order, and what makes no sense is refused before anything runs, with the reason.
 */
import type {
  Axis,
  ChannelMethod,
  MethodStep,
  PrecisionMethod,
  RankMethod,
  Side,
  TokenMethod,
} from './types.js';

/** What is asked of a step. */
export interface ComposedStep {
  readonly method: string;
  readonly axis: Axis;
  readonly evictsWhileDecoding: boolean;
  /** Whose channels it prunes. */
  readonly prunes: readonly Side[];
  /** Whose entries it replaces. */
  readonly rewrites: readonly Side[];
}

export interface CompositionProblem {
  /** The step that cannot stand where it stands. */
  readonly index: number;
  readonly reason: string;
}

/** What composition asks of a method. */
export type Composed =
  | Pick<TokenMethod, 'axis' | 'evictsWhileDecoding' | 'rewrites'>
  | Pick<ChannelMethod, 'axis' | 'prunes'>
  | Pick<RankMethod, 'axis'>
  | Pick<PrecisionMethod, 'axis'>;

/** What composition asks of a step of this method. */
export function composedStep({ method, params }: MethodStep, known: Composed): ComposedStep {
  return {
    method,
    axis: known.axis,
    evictsWhileDecoding: known.axis === 'token' && known.evictsWhileDecoding?.(params) === true,
    prunes: known.axis === 'channel' ? known.prunes(params) : [],
    rewrites: known.axis === 'token' ? (known.rewrites?.(params) ?? []) : [],
  };
}

/** The first step that makes no sense after those before it. */
export function compositionProblem(steps: readonly ComposedStep[]): CompositionProblem | undefined {
  for (const [index, step] of steps.entries()) {
    for (const earlier of steps.slice(0, index)) {
      const reason = objection(earlier, step);
      if (reason !== undefined) return { index, reason };
    }
  }
  return undefined;
}

function objection(earlier: ComposedStep, step: ComposedStep): string | undefined {
  const reason =
    whileDecoding(earlier, step) ??
    afterRewriting(earlier, step) ??
    betweenAxes(earlier, step) ??
    onSameSide(earlier, step);
  return reason === undefined ? undefined : `${step.method} cannot follow ${earlier.method}: ${reason}`;
}

/** Eviction while decoding works on plain keys and values, and on all of them. */
function whileDecoding(earlier: ComposedStep, step: ComposedStep): string | undefined {
  const evicting = [earlier, step].filter(({ evictsWhileDecoding }) => evictsWhileDecoding);
  const [first] = evicting;
  if (first === undefined) return undefined;
  if (evicting.length === 2) return 'only one method can evict while decoding; use one of the two';
  if (earlier.axis === 'token' && step.axis === 'token') {
    return first === step
      ? undefined
      : `${first.method} goes on evicting while decoding; list ${step.method} before it`;
  }
  return `${first.method} evicts while decoding, from plain keys and values only; use one of the two`;
}

/** Entries that stand in place of others are neither evicted, pruned nor made latents afterwards; they may be quantised. */
function afterRewriting(earlier: ComposedStep, step: ComposedStep): string | undefined {
  const [side] = earlier.rewrites;
  if (side === undefined) return undefined;
  switch (step.axis) {
    case 'token':
      return `it would choose among ${side} that have been replaced; list ${step.method} before it`;
    case 'channel': {
      const pruned = step.prunes.find((name) => earlier.rewrites.includes(name));
      return pruned === undefined
        ? undefined
        : `it would prune channels of ${pruned} that have been replaced; use one of the two`;
    }
    case 'rank':
      return `latents would take the place of the replaced ${side}; use one of the two`;
    case 'precision':
      return undefined;
  }
}

function betweenAxes(earlier: ComposedStep, step: ComposedStep): string | undefined {
  switch (`${earlier.axis} → ${step.axis}` as const) {
    case 'channel → token':
      return 'channel masks belong to the tokens that they were made for; evict first';
    case 'rank → token':
      return 'latents are stored for the tokens that are kept; evict first';
    case 'precision → token':
      return 'scales belong to the tokens that they were made for; evict first';
    case 'rank → rank':
      return 'each needs weights of its own; use one of the two';
    case 'rank → channel':
      return 'latents have no channels to prune; use one of the two';
    case 'channel → rank':
      return 'latents would take the place of the pruned keys; use one of the two';
    case 'precision → precision':
      return 'the entries are quantised already; use one of the two';
    case 'precision → channel':
    case 'precision → rank':
      return 'its entries are quantised already; quantise last';
    case 'token → token':
    case 'token → channel':
    case 'token → rank':
    case 'token → precision':
    case 'channel → channel':
    case 'channel → precision':
    case 'rank → precision':
      return undefined;
  }
}

/** A channel is pruned once: a second mask would have to rank what the first has left. */
function onSameSide(earlier: ComposedStep, step: ComposedStep): string | undefined {
  const both = step.prunes.find((side) => earlier.prunes.includes(side));
  return both === undefined ? undefined : `both prune channels of the ${both}; use one of the two for them`;
}
