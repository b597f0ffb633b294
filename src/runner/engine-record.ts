/**
 * What a manifest says of the engine.
 *
 * Every engine's caches are read by the kernels, and results of two builds of them differ in their last bits, so which one
 * was used is one of the engine's versions.
 */
import type { Engine } from '../engine/types.js';
import { kernelForm } from '../kernels/index.js';

export type EngineRecord = Pick<Engine, 'name' | 'threads' | 'versions'>;

/** @throws UserError where the kernels are not built */
export function engineRecord({ name, threads, versions }: EngineRecord): EngineRecord {
  return { name, threads, versions: { ...versions, kernels: kernelForm() } };
}
