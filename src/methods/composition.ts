/**
 * Which methods may follow each other in a pipeline.
 *
 * Decides by axis alone, before anything runs, and gives the reason. What depends on parameters (two methods that prune
 * the same side) shows when the plan is made.
 */
import type { Axis } from './types.js';

/** What is asked of a step. */
export interface ComposedStep {
  readonly method: string;
  readonly axis: Axis;
  readonly evictsWhileDecoding: boolean;
}

export interface CompositionProblem {
  /** The step that cannot stand where it stands. */
  readonly index: number;
  readonly reason: string;
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
  const reason = whileDecoding(earlier, step) ?? betweenAxes(earlier, step);
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
