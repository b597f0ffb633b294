/**
 * One of several processes that each take a sample of the sweep, with its share of the processors.
 *
 * It computes a sample when it is told to, the first one unasked, as a warm-up, and says when it is done.
 */
import { TOKENS, sample } from './sweep.js';
import { openModel } from './model.js';
import { table1 } from './table1.js';

const { model } = await openModel('native', process.argv[2]!);
const one = async (): Promise<void> => {
  await sample(model, table1(TOKENS));
  process.send!('done');
};
process.on('message', () => void one());
process.on('disconnect', () => process.exit());
await one();
