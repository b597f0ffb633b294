/**
 * The factors of a model for ReCalKV: taken from the cache folder, or found now and kept there.
 *
 * They depend on weights, configuration, tokenizer, text, parameters, the version of this code and the engine.
 */
import { join } from 'node:path';
import { cacheFolder } from '../base/cache-folder.js';
import { UserError } from '../base/errors.js';
import { recalkvParams, type RecalkvParams } from '../methods/rank/recalkv.js';
import { groupCount } from '../methods/rank/recalkv/grouping.js';
import { allocateRanks, type FisherScores, type LayerRanks } from '../methods/rank/recalkv/ranks.js';
import type { WeightsRequest } from '../methods/types.js';
import { OutOfCacheMemory } from '../kernels/memory.js';
import type { LowRankFactors } from '../model/low-rank.js';
import type { Transformer } from '../model/transformer.js';
import { configIdentity } from '../checkpoint/config-identity.js';
import type { ModelConfig, ModelFiles } from '../checkpoint/types.js';
import { canonicalJson, digestOf } from '../base/canonical-json.js';
import { calibrationDigest } from './digest.js';
import { factoriseModel } from './factorise.js';
import { checkWritable, readFactors, writeFactors } from './factors-folder.js';
import { fisherScores } from './fisher.js';
import { calibrationSequences } from './text.js';

export interface CalibrationRun {
  readonly model: Transformer;
  readonly files: Pick<ModelFiles, 'name' | 'config' | 'tokenizer' | 'weightsDigest'>;
  readonly request: WeightsRequest;
  /** Fisher scores of this model by their sequences, added to: requests that differ only in what is done with them share them. */
  readonly knownScores: Map<string, FisherScores[]>;
  /** Long phases: `Fisher scores 3/32`. */
  readonly onPhase: (phase: string) => void;
  /** Lines that stay. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface Calibration {
  readonly factors: LowRankFactors;
  /** Where they are kept. */
  readonly folder: string;
  /** Whether they were there before. */
  readonly kept: boolean;
}

/** There are no factors of this model for these parameters, however often they are looked for. */
export class NoFactors extends UserError {}

/**
 * Factors for one request.
 *
 * @throws NoFactors where the text is too short, the group does not divide the KV heads, the rounded ranks would remove
 * nothing, or the model's weights allow none; UserError where the cache folder cannot be written; the signal's reason where it stopped the work, of which nothing is kept
 */
export async function calibrate(run: CalibrationRun): Promise<Calibration> {
  const { files, request, log } = run;
  const made = {
    calibration: calibrationDigest(request),
    weights: files.weightsDigest,
    tokenizer: files.tokenizer.digest,
    config: digestOf(configIdentity(files.config)),
    engine: run.model.engine.name,
    params: { ...request.params, text: undefined },
  };
  const folder = join(cacheFolder(), 'calibration', digestOf(made).slice(0, 32));
  try {
    const factors = await readFactors(folder, files.config);
    if (factors !== undefined) return { factors, folder, kept: true };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log(`kept factors cannot be used and are found again: ${error.format()}`);
  }
  await checkWritable(folder);
  const factors = await findFactors(run, recalkvParams(request.params)).catch((error: unknown) => {
    if (!(error instanceof UserError) || error instanceof OutOfCacheMemory) throw error;
    const { message, place, hint } = error;
    throw new NoFactors(message, { place, hint, cause: error });
  });
  await writeFactors(folder, factors, { model: files.name, ...made });
  return { factors, folder, kept: false };
}

async function findFactors(run: CalibrationRun, params: RecalkvParams): Promise<LowRankFactors> {
  const { model, files, onPhase, signal } = run;
  const { config, tokenizer } = files;
  groupCount(config.kvHeads, Math.min(params.group, config.kvHeads)); // refused here, not behind the Fisher scores
  const sequences = calibrationSequences(tokenizer, params);
  const scores = params.ranks === 'uniform' ? equalScores(config) : await scoresOf(run, params, sequences);
  return factoriseModel(model, {
    sequences,
    ranks: ranksOf(scores, config, params),
    params,
    onLayer: (done) => {
      onPhase(`factors ${done}/${config.layers}`);
    },
    signal,
  });
}

async function scoresOf(
  { model, knownScores: known, onPhase, signal }: CalibrationRun,
  { text, samples, length, seed }: RecalkvParams,
  sequences: readonly (readonly number[])[],
): Promise<FisherScores[]> {
  const key = canonicalJson([text ?? null, samples, length, seed]);
  const scores =
    known.get(key) ??
    (await fisherScores(model, sequences, {
      onSequence: (done) => {
        onPhase(`Fisher scores ${done}/${sequences.length}`);
      },
      signal,
    }));
  known.set(key, scores);
  return scores;
}

/** Throws UserError where nothing would be removed. */
function ranksOf(
  scores: readonly FisherScores[],
  { layers, kvHeads, headDim }: ModelConfig,
  { ranks: allocation, ratio, group, multiple }: RecalkvParams,
): LayerRanks[] {
  const groupSize = Math.min(group, kvHeads);
  const ranks = allocateRanks(scores, { allocation, ratio, groupSize, multiple, headDim });
  const total = ranks.reduce((sum, { keys, values }) => sum + values + keys.reduce((a, b) => a + b, 0), 0);
  if (total < 2 * layers * kvHeads * headDim) return ranks;
  throw new UserError(
    `recalkv removes nothing: with ratio ${ratio}, ranks rounded to multiples of ${multiple} are all full`,
    { hint: 'Use a smaller multiple or a larger ratio.' },
  );
}

/** Scores under which every head gets the same rank, without a backward pass. */
function equalScores({ layers, kvHeads }: ModelConfig): FisherScores[] {
  const equal = Array<number>(kvHeads).fill(1);
  return Array.from({ length: layers }, () => ({ keys: equal, values: equal }));
}
