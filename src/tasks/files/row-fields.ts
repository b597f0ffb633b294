/**
 * Fields that rows of many data sets have, as schemas.
 *
 * One form of each, so that the same mistake gets the same message everywhere.
 */
import * as z from 'zod';
import { strip } from '../scorers/python-text.js';

const NOT_EMPTY = 'expected a text that is not empty';

/** A text that is not empty; an answer may be white space. */
export const text = z.string().min(1, NOT_EMPTY);

/** What is read and asked about: more than white space. */
export const passage = z.string().refine((value) => strip(value) !== '', NOT_EMPTY);

/** 1 to 65,536 tokens to generate. */
export const newTokens = z.int().min(1).max(65_536);

/** The same in a Parquet column, which holds 64-bit integers. */
export const newTokensColumn = z.union([z.bigint(), z.number()]).transform(Number).pipe(newTokens);
