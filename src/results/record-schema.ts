/**
 * What a journal line must hold.
 *
 * A file on disk is not trusted to hold what was written.
 */
import * as z from 'zod';
import { FORMAT_VERSION, type Inapplicable, type SampleRecord } from './types.js';

const count = z.int().min(0);
const amount = z.number().min(0);

export const byteParts = z.strictObject({
  value: count,
  mask: count,
  sign: count,
  scale: count,
  index: count,
  latent: count,
});

const identity = {
  format: z.literal(FORMAT_VERSION),
  cell: z.string().regex(/^[0-9a-f]{16}$/),
  sample: count,
};

export const inapplicable = z.strictObject({
  ...identity,
  inapplicable: z.string(),
}) satisfies z.ZodType<Inapplicable>;

export const sampleRecord = z.strictObject({
  ...identity,
  prediction: z.string(),
  answers: z.array(z.string()),
  score: z.number().min(0).max(1),
  promptTokens: count,
  truncated: z.boolean(),
  depths: z.array(z.number().min(0).max(100)).optional(),
  generatedTokens: count,
  keptTokens: amount,
  keptPerHead: z.array(z.array(count)).optional(),
  fullBytes: count,
  storedBytes: byteParts,
  paperBytes: amount,
  prefillSeconds: amount,
  compressSeconds: amount,
  decodeSeconds: amount,
  peakRssBytes: count,
}) satisfies z.ZodType<SampleRecord>;
