/**
 * What a manifest says of the engine.
 *
 * Decides that the form of the kernels is one of its versions, as every engine's caches are read by them, and results of two
 * forms differ in their last bits.
 */
import type { Engine } from '../engine/types.js';
import { kernelForm } from '../kernels/index.js';

export type EngineFacts = Pick<Engine, 'name' | 'threads' | 'versions'>;

/** @throws UserError where the kernels are not built */
export function factsOf({ name, threads, versions }: EngineFacts): EngineFacts {
  return { name, threads, versions: { ...versions, kernels: kernelForm() } };
}
