/** The engines that tests run on: those that are present; the others are skipped and say so. */
import { openEngine } from '../../src/engine/index.js';
import type { Engine, EngineName } from '../../src/engine/types.js';
import { UserError } from '../../src/base/errors.js';

export const TESTED_ENGINES: readonly EngineName[] = ['wasm', 'native'];

/** The engine, or undefined where this machine does not have it. */
export async function engineIfPresent(name: EngineName): Promise<Engine | undefined> {
  try {
    return await openEngine(name);
  } catch (error) {
    if (error instanceof UserError && name !== 'wasm') return undefined;
    throw error;
  }
}

/** For `before`: opens the engine or skips the suite. */
export async function engineOrSkip(context: Mocha.Context, name: EngineName): Promise<Engine> {
  const engine = await engineIfPresent(name);
  if (engine === undefined) context.skip();
  return engine;
}
