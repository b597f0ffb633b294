/**
 * The model that the benchmarks run on, and a prompt for it.
 *
 * Where it is absent, one of its shape stands in: times and memory are the same. The prompt is made of drawn ids: no step takes longer or shorter for it.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openEngine } from '../src/engine/index.js';
import type { EngineName } from '../src/engine/types.js';
import { UserError } from '../src/base/errors.js';
import { openModelFiles, resolveModel } from '../src/checkpoint/load.js';
import { openCrew } from '../src/kernels/crew.js';
import { Transformer } from '../src/model/transformer.js';
import type { ModelConfig, ModelFiles } from '../src/checkpoint/types.js';
import { writeRandomModel } from './random-model.js';
import { Skip } from './types.js';

export const MODEL = 'smollm2-135m';

/** The model's file. Throws `Skip` where it is not pulled. */
export function modelPath(): string {
  try {
    return resolveModel(MODEL).weights;
  } catch (error) {
    throw asSkip(error);
  }
}

/** Its folder; where it is not pulled, that of a model of its shape, written into `folder`. */
export function modelIn(folder: string, log: (line: string) => void): string {
  try {
    return dirname(modelPath());
  } catch (error) {
    if (!(error instanceof Skip)) throw error;
    log(`${MODEL} is not pulled: random weights of its shape`);
    const path = join(folder, 'model');
    if (!existsSync(path)) writeRandomModel(path);
    return path;
  }
}

/** A model on an engine. Throws `Skip` where that is not there. */
export async function openModel(
  engineName: EngineName,
  path: string,
): Promise<{ readonly files: ModelFiles; readonly model: Transformer }> {
  try {
    const engine = await openEngine(engineName);
    const files = await openModelFiles(path);
    const crew = await openCrew(engine.threads, () => undefined);
    return { files, model: Transformer.load(engine, files, crew) };
  } catch (error) {
    throw asSkip(error);
  }
}

/** `count` ids, the same each time. */
export function drawnIds({ vocabulary }: ModelConfig, count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * vocabulary);
  });
}

/** Floating-point operations of a prefill of S tokens: every matmul, attention only up to the diagonal. */
export function prefillOperations(config: ModelConfig, length: number): number {
  const { hidden, intermediate, heads, kvHeads, headDim, layers, vocabulary } = config;
  const weights = hidden * (2 * heads + 2 * kvHeads) * headDim + 3 * hidden * intermediate;
  const attention = 2 * 2 * heads * headDim * ((length * (length + 1)) / 2);
  return layers * (2 * length * weights + attention) + 2 * hidden * vocabulary;
}

function asSkip(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  return new Skip([error.message, error.hint].filter(Boolean).join('; '));
}
