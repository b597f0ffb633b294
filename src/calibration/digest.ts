/**
 * What decides calibrated weights beside the model and the parameters: the text, and the version of the code.
 *
 * Kept factors and finished cells are stale when the text or the code is another; neither engine nor model is needed to
 * know.
 */
import { recalkvParams } from '../methods/rank/recalkv.js';
import type { WeightsRequest } from '../methods/types.js';
import { digestOf } from '../base/canonical-json.js';
import { calibrationText } from './text.js';

/** Raised whenever the same request gives other factors. */
const CALIBRATION_VERSION = 2;

/** sha256 (hex) for cell keys. Throws UserError where the request's text cannot be read. */
export function calibrationDigest({ params }: WeightsRequest): string {
  const { text } = recalkvParams(params);
  return digestOf({ version: CALIBRATION_VERSION, text: calibrationText(text).digest });
}
