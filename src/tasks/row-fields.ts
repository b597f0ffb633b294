/**
 * Fields that rows of many data sets have, as schemas.
 *
 * Decides what is a text and a number of tokens there. Knows nothing of any data set.
 */
import * as z from 'zod';

/** A text that is not empty. */
export const text = z.string().min(1, 'expected a text that is not empty');

/** 1 to 65,536 tokens to generate. */
export const newTokens = z.int().min(1).max(65_536);

/** The same in a Parquet column, which holds 64-bit integers. */
export const newTokensColumn = z.union([z.bigint(), z.number()]).transform(Number).pipe(newTokens);
