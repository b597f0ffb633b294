/**
 * RULER's scores: the fraction of the answers that occur in the prediction; for questions on documents, whether any
 * of them does. Predictions are cleaned as the published harness cleans them.
 */
import { allFound, anyFound as anyOccurs, cleanPrediction } from '../scorers/substring.js';

/** In [0, 1]. `answers` must not be empty; an answer that is listed twice counts twice. */
export function fractionFound(prediction: string, answers: readonly string[]): number {
  return allFound(cleanPrediction(prediction), answers);
}

/** 1 where any answer occurs, else 0. `answers` must not be empty. */
export function anyFound(prediction: string, answers: readonly string[]): number {
  return anyOccurs(cleanPrediction(prediction), answers);
}
