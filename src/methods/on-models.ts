/**
 * Which pipelines can run on which models, before anything runs.
 *
 * Methods work on any model whose keys and values they are given; these are the few that need more of it.
 */
import type { ModelConfig } from '../checkpoint/types.js';
import { lowRankObjection } from '../model/low-rank.js';
import { movingObjection } from './moved-keys.js';
import { actsOn } from './pipeline.js';
import type { Method, MethodStep } from './types.js';

/** Why a list of steps cannot run on a model: its name comes before the reason. Undefined where it can. */
export function modelObjection(
  steps: readonly MethodStep[],
  config: ModelConfig,
  methods: ReadonlyMap<string, Method>,
): string | undefined {
  for (const step of steps) {
    const reason = objection(step, methods.get(step.method)!, config);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function objection(step: MethodStep, method: Method, config: ModelConfig): string | undefined {
  if (method.axis === 'rank') return lowRankObjection(config);
  const { windows } = config;
  const allSlide = windows.every((window) => window !== undefined);
  const acts = (window: number | undefined): boolean => actsOn({ window, allSlide }, step);
  if (method.axis === 'token' && method.rewrites?.(step.params).includes('keys') === true) {
    return movingObjection(step.method, config, acts);
  }
  const slides = windows.some((window) => window !== undefined && acts(window));
  if (slides && method.axis === 'token' && method.evictsWhileDecoding?.(step.params) === true) {
    return `has sliding layers, whose window already evicts while decoding: ${step.method} cannot act in them`;
  }
  return undefined;
}
